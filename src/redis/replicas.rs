//! Waits until replicas have what was written over a connection, once for all requests that wait.
//!
//! `WAIT` holds up whatever comes after it on its connection, and is about what that connection wrote before it.

use crate::redis::failure::Failure;
use crate::redis::flight::{Flight, Role};
use crate::redis::reply::number;
use spin_sdk::redis::RedisResult;
use spin_sdk::wit_bindgen::yield_async;
use std::cell::Cell;

/// How far the replicas have a connection's writes. A write is known by its number.
#[derive(Default)]
pub(super) struct Replication {
    /// The last write whose reply has come.
    written: Cell<u64>,
    /// The last write that enough replicas have.
    replicated: Cell<u64>,
    /// The last write that Redis has been asked about, and how many replicas had it.
    answered: Cell<(u64, u64)>,
    /// The request that asks Redis.
    asking: Flight,
}

impl Replication {
    /// Returns when `required` replicas have the write whose reply has just come; fails if `wait`, which asks Redis, names fewer or
    /// fails.
    pub(super) async fn wait(
        &self,
        required: u64,
        wait: impl AsyncFn() -> Result<Vec<RedisResult>, Failure>,
    ) -> Result<(), Failure> {
        let own = self.written.get().saturating_add(1);
        self.written.set(own);
        loop {
            let (answered, have) = self.answered.get();
            if self.replicated.get() >= own {
                return Ok(());
            }
            if answered >= own {
                return Err(Failure::Replicas { have, required });
            }
            match self.asking.join() {
                Role::Waiter(waiter) => waiter.landed().await,
                Role::Leader(_guard) => {
                    // Requests whose replies have come with this one take part.
                    yield_async().await;
                    let asked = self.written.get();
                    let reply = wait().await?;
                    let have = reply.first().and_then(number).ok_or(Failure::Data)?;
                    self.answered.set((asked, have));
                    if have >= required {
                        self.replicated.set(asked);
                    }
                }
            }
        }
    }
}
