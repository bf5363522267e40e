//! Counts a message in its sender's quota in a Cluster, where both are on different nodes: before it is stored.

use crate::domain::error::{Error, Result, Stored};
use crate::domain::member::Member;
use crate::domain::quota::{Allowance, Quota};
use crate::redis::{Script, number};
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::Unreadable;
use spin_sdk::redis::RedisResult;

static CHARGE: Script = Script::writing(&[include_str!("rate.lua"), include_str!("charge.lua")]);

/// One message in the quota of its sender.
pub(super) struct Charge {
    message: Message,
    taken: bool,
    allowance: Allowance,
}

/// The message, as the sender's charges know it.
struct Message {
    /// The Redis key of the charges.
    key: String,
    /// What no other request has: a second try charges nothing.
    nonce: String,
    quota: Quota,
}

impl Charge {
    /// Counts the message of the request that has this nonce, unless the quota is used up. What it fails with says that no message is
    /// stored.
    pub(super) async fn take(session: &Session, sender: &Member, quota: Quota, [one, other]: [u64; 2]) -> Result<Self> {
        let message = Message {
            key: keys::charges(sender),
            nonce: format!("{:016x},", one ^ other.rotate_left(32)),
            quota,
        };
        let (taken, allowance) = message.run(session, "take").await.map_err(|error| match error {
            Error::Unavailable { cause, .. } => Error::unavailable(cause, Stored::No),
            other => other,
        })?;
        Ok(Self {
            message,
            taken,
            allowance,
        })
    }

    /// Whether it counts; if not, the quota is used up.
    pub(super) fn is_taken(&self) -> bool {
        self.taken
    }

    /// What the sender may send then.
    pub(super) fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// Counts it no longer, and returns what the sender may send then. If Redis fails, the message counts for its time although it is
    /// not stored.
    pub(super) async fn give_back(&self, session: &Session) -> Allowance {
        if !self.taken {
            return self.allowance;
        }
        let given_back = self.message.run(session, "back").await;
        given_back.map_or(self.allowance, |(_, allowance)| allowance)
    }
}

impl Message {
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
