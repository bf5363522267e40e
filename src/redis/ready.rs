//! Asks Redis whether it can serve confab.

use crate::domain::error::{Error, Result};
use crate::redis::act::{Act, Command};
use crate::redis::attempt::{Effect, attempt};
use crate::session::Session;
use spin_sdk::redis::RedisResult;

/// The oldest major version of Redis that confab works with.
const OLDEST_MAJOR: u32 = 7;

/// Returns if Redis answers a `PING` within `redis_timeout_ms` and is 7.0 or later. Fails with [`Error::OldRedis`] if it is older.
///
/// It does not show that Redis accepts writes.
pub async fn ready(session: &Session) -> Result<()> {
    // Both in one round trip. No ACL can refuse `HELLO`.
    let commands = ["PING", "HELLO"].map(|name| Command { name, arguments: &[] });
    let replies = attempt(session, Effect::Reads, None, &Act::Commands(&commands)).await?;
    let hello = match &replies[..] {
        [RedisResult::Status(pong), hello @ ..] if pong == "PONG" => hello,
        _ => return Err(Error::internal("Redis does not answer PING with PONG".to_owned())),
    };
    let version = version(hello).ok_or_else(|| Error::internal("Redis does not say its version"))?;
    let [major, _] = version;
    if major < OLDEST_MAJOR {
        return Err(Error::OldRedis { version });
    }
    Ok(())
}

/// The major and minor version in a reply to `HELLO`, whose names and values alternate.
fn version(hello: &[RedisResult]) -> Option<[u32; 2]> {
    let mut after = hello
        .iter()
        .skip_while(|value| !matches!(value, RedisResult::Binary(name) if name == b"version"));
    let Some(RedisResult::Binary(version)) = after.nth(1) else {
        return None;
    };
    let mut parts = str::from_utf8(version).ok()?.split('.').map(str::parse);
    Some([parts.next()?.ok()?, parts.next()?.ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::reply::texts;

    #[test]
    fn the_version_is_two_numbers_after_its_name() {
        for (hello, expected) in [
            (
                &["server", "redis", "version", "7.0.15", "mode", "standalone"][..],
                Some([7, 0]),
            ),
            (&["version", "6.2.14"], Some([6, 2])),
            (&["version", "255.255.255"], Some([255, 255])),
            (&["version", "8.0-rc1"], None),
            (&["version", "7"], None),
            (&["version"], None),
            (&["server", "redis"], None),
            (&[], None),
        ] {
            assert_eq!(version(&texts(hello)), expected, "{hello:?}");
        }
    }
}
