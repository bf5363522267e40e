//! Counts a message in its sender's quota in a Cluster, where both are on different nodes: before it is stored.

use crate::domain::embedded::embedded;
use crate::domain::error::{Error, Result, Stored};
use crate::domain::member::Member;
use crate::domain::quota::{Allowance, Quota};
use crate::store::keys;
use crate::store::reply::{Unreadable, number};
use crate::store::script::Script;
use crate::store::session::Session;
use spin_sdk::redis::RedisResult;

static CHARGE: Script = Script::writing(&[embedded!("charge.lua")]);

/// One message of a sender who has a quota.
pub(super) struct Charge {
    /// The sender's charges.
    key: String,
    /// What no other request has: a second try charges nothing.
    nonce: String,
    quota: Quota,
}

impl Charge {
    /// The message of the request that has this nonce.
    pub(super) fn new(sender: &Member, quota: Quota, [one, other]: [u64; 2]) -> Self {
        Self {
            key: keys::charges(sender),
            nonce: format!("{:016x},", one ^ other.rotate_left(32)),
            quota,
        }
    }

    /// Counts it, unless the quota is used up. Returns whether it does, and what the sender may send then. What it fails with says that
    /// no message is stored.
    pub(super) async fn take(&self, session: &Session) -> Result<(bool, Allowance)> {
        self.run(session, "take").await.map_err(|error| match error {
            Error::Unavailable { cause, .. } => Error::unavailable(cause, Stored::No),
            other => other,
        })
    }

    /// Counts it no longer, and returns what the sender may send then.
    pub(super) async fn give_back(&self, session: &Session) -> Result<Allowance> {
        Ok(self.run(session, "back").await?.1)
    }

    async fn run(&self, session: &Session, what: &str) -> Result<(bool, Allowance)> {
        let numbers = [self.quota.interval(), self.quota.span()].map(|number| number.to_string());
        let [interval, span] = &numbers;
        let arguments = [&self.nonce, interval, span, what].map(str::as_bytes);
        let reply = CHARGE.run(session, &[&self.key], &arguments).await?;
        let used = match &reply[..] {
            [RedisResult::Binary(word), used] => {
                number(used).map(|used| (word == b"charged", self.quota.allowance(used)))
            }
            _ => None,
        };
        used.ok_or_else(|| Unreadable::of_reply("charge.lua", &reply).at(&self.key))
    }
}
