//! Leases: how many streams and waiting pulls a person has, and how many exports, on all hosts together.

use crate::domain::error::{Error, Result};
use crate::domain::member::Member;
use crate::redis::Script;
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::Unreadable;
use futures::future::{Either, select};
use spin_sdk::redis::RedisResult;
use spin_sdk::time;
use spin_sdk::wasip3::random::random::get_random_u64;
use std::convert::Infallible;
use std::future::pending;
use std::num::NonZeroU64;
use std::pin::pin;
use std::time::Duration;

static LEASE: Script = Script::writing(&[include_str!("lease.lua")]);

/// What is counted together.
#[derive(Clone, Copy)]
pub enum Leased {
    /// Streams and waiting pulls.
    Streams,
    /// Exports.
    Exports,
}

/// A lease of one of a person's streams, or exports. It ends when it is given back, or two heartbeats and `redis_timeout_ms` after it was renewed
/// last: a stream that died without a word counts until then.
pub struct Lease {
    /// The person's leases.
    key: String,
    /// Its name among them, which no other has.
    name: String,
}

impl Lease {
    /// Takes a lease for this person, if there are fewer than `limit`. If not, fails with [`Error::TooManyStreams`] or
    /// [`Error::TooManyExports`]. If Redis is away, it is not counted, until it is renewed.
    pub async fn take(session: &Session, member: &Member, leased: Leased, limit: NonZeroU64) -> Result<Self> {
        let lease = Self {
            key: match leased {
                Leased::Streams => keys::streams(member),
                Leased::Exports => keys::exports(member),
            },
            name: format!("{:x}{:016x}", get_random_u64(), get_random_u64()),
        };
        match lease.run(session, length(session), &limit.to_string()).await {
            Ok(true) | Err(Error::Unavailable { .. }) => Ok(lease),
            Ok(false) => {
                let (limit, retry_after_s) = (limit.get(), session.config().stream_heartbeat.as_secs().max(1));
                Err(match leased {
                    Leased::Streams => Error::TooManyStreams { limit, retry_after_s },
                    Leased::Exports => Error::TooManyExports { limit, retry_after_s },
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Does `work`, and renews the lease, if there is one, at each heartbeat meanwhile.
    pub async fn during<T>(lease: Option<&Self>, session: &Session, work: impl Future<Output = T>) -> T {
        let renewing = async {
            match lease {
                Some(lease) => lease.renew(session).await,
                None => pending().await,
            }
        };
        match select(pin!(work), pin!(renewing)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    /// Gives the lease back, if there is one and Redis is there.
    pub async fn give_back(lease: Option<Self>, session: &Session) {
        if let Some(lease) = lease {
            // If it fails, the lease ends by itself.
            _ = lease.run(session, Duration::ZERO, "").await;
        }
    }

    async fn renew(&self, session: &Session) -> Infallible {
        loop {
            time::sleep(session.config().stream_heartbeat).await;
            // What fails is tried again at the next heartbeat; the lease lasts that long.
            _ = self.run(session, length(session), "").await;
        }
    }

    /// Makes the lease last so long from now on, unless it is new and there are `limit` without it. Returns whether it does.
    async fn run(&self, session: &Session, length: Duration, limit: &str) -> Result<bool> {
        let length = length.as_millis().to_string();
        let arguments = [&self.name, &length, limit].map(str::as_bytes);
        let reply = LEASE.run(session, &[&self.key], &arguments).await?;
        match &reply[..] {
            [RedisResult::Binary(word)] if word == b"kept" => Ok(true),
            [RedisResult::Binary(word)] if word == b"limited" => Ok(false),
            _ => Err(Unreadable::of_reply("lease.lua", &reply).at(&self.key)),
        }
    }
}

/// How long a lease lasts if it is not renewed.
fn length(session: &Session) -> Duration {
    session
        .config()
        .stream_heartbeat
        .saturating_mul(2)
        .saturating_add(session.config().redis_timeout)
}
