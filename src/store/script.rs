//! Lua scripts, run by Redis as one atomic step, in one round trip.

use crate::domain::error::Result;
use crate::store::attempt::{Effect, attempt};
use crate::store::cluster;
use crate::store::connection::{Shared, binary};
use crate::store::refusal::Failure;
use crate::store::session::Session;
use sha1_smol::Sha1;
use spin_sdk::redis::{RedisParameter, RedisResult};
use std::cell::Cell;
use std::sync::OnceLock;

/// A script on keys of one slot. It must be idempotent: after a broken connection the caller cannot know whether it ran.
pub(super) struct Script {
    parts: &'static [&'static str],
    effect: Effect,
    digest: OnceLock<String>,
}

impl Script {
    /// The script whose source is these parts, which only reads.
    pub(super) const fn reading(parts: &'static [&'static str]) -> Self {
        Self::new(parts, Effect::Reads)
    }

    /// The script whose source is these parts, which writes all or nothing.
    pub(super) const fn writing(parts: &'static [&'static str]) -> Self {
        Self::new(parts, Effect::Writes)
    }

    /// The same, and a send is acknowledged by it: `redis_replicas` replicas have what it wrote.
    pub(super) const fn sending(parts: &'static [&'static str]) -> Self {
        Self::new(parts, Effect::Sends)
    }

    const fn new(parts: &'static [&'static str], effect: Effect) -> Self {
        Self {
            parts,
            effect,
            digest: OnceLock::new(),
        }
    }

    /// Runs the script in one round trip (two if Redis does not know it yet) and returns its reply, nested lists flattened.
    ///
    /// In a Cluster, it runs on the node of the first key. Runs it again if that may help, and returns within `redis_timeout_ms`; fails as [`attempt`] does.
    pub(super) async fn run(&self, session: &Session, keys: &[&str], arguments: &[&[u8]]) -> Result<Vec<RedisResult>> {
        let reply = self.attempt(session, keys, arguments, false).await?;
        Ok(reply.unwrap_or_default())
    }

    /// The same with keys that are in several slots of a Cluster. `None` if Redis is one: nothing is done, and the instance remembers it.
    pub(super) async fn run_undivided(
        &self,
        session: &Session,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Option<Vec<RedisResult>>> {
        if cluster::is_divided() {
            return Ok(None);
        }
        self.attempt(session, keys, arguments, true).await
    }

    /// `None` if the keys are in several slots and `may_divide`.
    async fn attempt(
        &self,
        session: &Session,
        keys: &[&str],
        arguments: &[&[u8]],
        may_divide: bool,
    ) -> Result<Option<Vec<RedisResult>>> {
        let divided = Cell::new(false);
        let evaluate = async |connection: &Shared| match self.evaluate(connection, keys, arguments).await {
            Err(Failure::Refused(refusal)) if may_divide && refusal.is_of_several_slots() => {
                cluster::divided();
                divided.set(true);
                Ok(Vec::new())
            }
            reply => reply,
        };
        let reply = attempt(session, self.effect, keys.first().copied(), &evaluate).await?;
        Ok((!divided.get()).then_some(reply))
    }

    async fn evaluate(
        &self,
        connection: &Shared,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Vec<RedisResult>, Failure> {
        let parameters = |script: &str| -> Vec<RedisParameter> {
            let count = binary(keys.len().to_string().as_bytes());
            let keys = keys.iter().map(|key| key.as_bytes());
            let values = keys.chain(arguments.iter().copied()).map(binary);
            [binary(script.as_bytes()), count].into_iter().chain(values).collect()
        };
        match connection.execute("EVALSHA", parameters(self.digest())).await {
            Err(Failure::Refused(refusal)) if refusal.is_unknown_script() => {
                connection.execute("EVAL", parameters(&self.parts.concat())).await
            }
            reply => reply,
        }
    }

    /// Redis's name for the script: the SHA-1 of its source.
    fn digest(&self) -> &str {
        self.digest
            .get_or_init(|| Sha1::from(self.parts.concat()).digest().to_string())
    }
}
