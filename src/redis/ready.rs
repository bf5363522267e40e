//! Asks Redis whether it can serve confab.

use crate::domain::error::{Error, Result, Stored};
use crate::redis::act::{Act, Command};
use crate::redis::attempt::{Effect, attempt};
use crate::session::Session;
use spin_sdk::redis::RedisResult;

/// The oldest major version of Redis that confab works with.
const OLDEST_MAJOR: u32 = 7;

/// Returns if Redis answers a `PING` within `redis_timeout_ms` and is 7.0 or later, and if its Cluster serves all slots, if it is a node
/// of one. Fails with [`Error::OldRedis`] if it is older.
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
    // Only a node of a Cluster is asked again.
    if named(hello, "mode") == Some(b"cluster") {
        let info = Command {
            name: "CLUSTER",
            arguments: &["INFO"],
        };
        let info = attempt(session, Effect::Reads, None, &Act::Commands(&[info])).await?;
        if is_down(&info) {
            let why = "its Cluster is down: not every slot has a node that serves it";
            return Err(Error::unavailable(why, Stored::NotAsked));
        }
    }
    Ok(())
}

/// The value after a name in a reply to `HELLO`, whose names and values alternate.
fn named<'a>(hello: &'a [RedisResult], name: &str) -> Option<&'a [u8]> {
    let is_name = |value: &&RedisResult| matches!(value, RedisResult::Binary(other) if other == name.as_bytes());
    match hello.iter().skip_while(|value| !is_name(value)).nth(1) {
        Some(RedisResult::Binary(value)) => Some(value),
        _ => None,
    }
}

/// The major and minor version in a reply to `HELLO`.
fn version(hello: &[RedisResult]) -> Option<[u32; 2]> {
    let mut parts = str::from_utf8(named(hello, "version")?)
        .ok()?
        .split('.')
        .map(str::parse);
    Some([parts.next()?.ok()?, parts.next()?.ok()?])
}

/// Whether a reply to `CLUSTER INFO` has a state that is not `ok`.
fn is_down(info: &[RedisResult]) -> bool {
    let [RedisResult::Binary(info)] = info else {
        return false;
    };
    let mut lines = info.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let state = lines.find_map(|line| line.strip_prefix(b"cluster_state:"));
    state.is_some_and(|state| state != b"ok")
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

    #[test]
    fn a_cluster_is_down_unless_its_state_is_ok() {
        for (last, expected) in [
            (
                "cluster_enabled:1\r\ncluster_state:fail\r\ncluster_slots_ok:0\r\n",
                true,
            ),
            ("cluster_state:fail", true),
            ("cluster_state:ok\r\ncluster_slots_ok:16384\r\n", false),
            ("", false),
        ] {
            assert_eq!(is_down(&texts(&[last])), expected, "{last}");
        }
        assert!(!is_down(&[]));
    }
}
