//! Lua scripts, run by Redis as one atomic step, in one round trip.

use crate::domain::error::Result;
use crate::redis::act::Act;
use crate::redis::attempt::{Effect, attempt};
use crate::redis::cluster;
use crate::redis::failure::Failure;
use crate::redis::source::Source;
use crate::session::Session;
use spin_sdk::redis::RedisResult;

/// A script on keys of one slot. It must be idempotent: after a broken connection the caller cannot know whether it ran.
pub struct Script {
    source: Source,
    effect: Effect,
}

impl Script {
    /// The script whose source is these parts, which only reads.
    pub const fn reading(parts: &'static [&'static str]) -> Self {
        Self::new(parts, Effect::Reads)
    }

    /// The script whose source is these parts, which writes all or nothing.
    pub const fn writing(parts: &'static [&'static str]) -> Self {
        Self::new(parts, Effect::Writes)
    }

    /// The script whose source is these parts, which writes all or nothing, and is done once `redis_replicas` replicas have what it
    /// wrote. It must write something each time that it runs: Redis does not wait for what writes nothing.
    pub const fn replicating(parts: &'static [&'static str]) -> Self {
        Self::new(parts, Effect::Replicates)
    }

    const fn new(parts: &'static [&'static str], effect: Effect) -> Self {
        let source = Source::new(parts);
        Self { source, effect }
    }

    /// Runs the script in one round trip (two if Redis does not know it yet) and returns its reply, nested lists flattened.
    ///
    /// In a Cluster, it runs on the node of the first key. Runs it again if that may help, and returns within `redis_timeout_ms`.
    /// What passes by itself is [`Error::Unavailable`](crate::domain::error::Error::Unavailable), with what is stored; what a person
    /// must repair is [`Error::Internal`](crate::domain::error::Error::Internal).
    pub async fn run(&self, session: &Session, keys: &[&str], arguments: &[&[u8]]) -> Result<Vec<RedisResult>> {
        Ok(attempt(session, self.effect, keys.first().copied(), &self.act(keys, arguments)).await?)
    }

    /// Runs the script as [`Script::run`] does, on keys that are in several slots of a Cluster. `None` if Redis is a Cluster: then
    /// nothing is done, and the instance remembers it.
    pub async fn run_undivided(
        &self,
        session: &Session,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Option<Vec<RedisResult>>> {
        if cluster::is_divided() {
            return Ok(None);
        }
        let reply = attempt(session, self.effect, keys.first().copied(), &self.act(keys, arguments)).await;
        match reply {
            Err(failed) if matches!(&failed.failure, Failure::Refused(reply) if reply.is_of_several_slots()) => {
                cluster::divided();
                Ok(None)
            }
            reply => Ok(Some(reply?)),
        }
    }

    fn act<'a>(&'a self, keys: &'a [&'a str], arguments: &'a [&'a [u8]]) -> Act<'a> {
        Act::Evaluate {
            script: &self.source,
            keys,
            arguments,
        }
    }
}
