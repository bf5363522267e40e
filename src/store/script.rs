//! Lua scripts, run by Redis as one atomic step, in one round trip.

use crate::config::Config;
use crate::domain::error::Result;
use crate::store::connection::{NoReply, binary, forget, shared, within};
use sha1_smol::Sha1;
use spin_sdk::redis::{self, Connection, RedisParameter, RedisResult};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

/// A script on keys of one slot. It must be idempotent: after a broken connection the caller cannot know whether it ran.
pub(super) struct Script {
    body: &'static str,
    digest: OnceLock<String>,
}

impl Script {
    /// The script of this source.
    pub(super) const fn new(body: &'static str) -> Self {
        Self {
            body,
            digest: OnceLock::new(),
        }
    }

    /// Runs the script in one round trip (two if Redis does not know it yet) and returns its reply, nested lists flattened.
    ///
    /// If the connection breaks, it runs the script once more, on a new one. Returns within `redis_timeout_ms`, whatever Redis
    /// does. Every failure on the way is [`Error::Unavailable`](crate::domain::error::Error::Unavailable), but an address that
    /// the host does not allow is [`Error::Internal`](crate::domain::error::Error::Internal).
    pub(super) async fn run(&self, config: &Config, keys: &[&str], arguments: &[&[u8]]) -> Result<Vec<RedisResult>> {
        let used = RefCell::new(None);
        let reply = self.run_twice(&config.redis_url, &used, keys, arguments);
        within(config.redis_timeout, reply).await.map_err(|error| {
            // A peer that vanished without a word looks like a slow one: only a new connection can tell. Only the connection
            // that was used is at fault: by now others may share a newer, healthy one.
            if let (NoReply::Late(_), Some(connection)) = (&error, used.take()) {
                forget(&connection);
            }
            error.into()
        })
    }

    async fn run_twice(
        &self,
        url: &str,
        used: &RefCell<Option<Rc<Connection>>>,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Vec<RedisResult>, redis::Error> {
        let connection = shared(url).await?;
        used.replace(Some(Rc::clone(&connection)));
        if let Ok(reply) = self.evaluate(&connection, keys, arguments).await {
            return Ok(reply);
        }
        // The host reports a broken connection and a refused command in the same way, so either costs the connection.
        forget(&connection);
        let connection = shared(url).await?;
        used.replace(Some(Rc::clone(&connection)));
        self.evaluate(&connection, keys, arguments).await
    }

    async fn evaluate(
        &self,
        connection: &Connection,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Vec<RedisResult>, redis::Error> {
        let parameters = |script: &str| -> Vec<RedisParameter> {
            let count = binary(keys.len().to_string().as_bytes());
            let keys = keys.iter().map(|key| key.as_bytes());
            let values = keys.chain(arguments.iter().copied()).map(binary);
            [binary(script.as_bytes()), count].into_iter().chain(values).collect()
        };
        match connection.execute("EVALSHA", parameters(self.digest())).await {
            Err(redis::Error::Other(why)) if is_noscript(&why) => {
                connection.execute("EVAL", parameters(self.body)).await
            }
            reply => reply,
        }
    }

    /// Redis's name for the script: the SHA-1 of its source.
    fn digest(&self) -> &str {
        self.digest.get_or_init(|| Sha1::from(self.body).digest().to_string())
    }
}

/// Whether Redis did not run the script because it does not know it (yet, or since a restart).
///
/// The host gives Redis's error code `NOSCRIPT` only as text, in the words of its client library.
fn is_noscript(why: &str) -> bool {
    why.contains("NoScriptError") || why.contains("NOSCRIPT")
}
