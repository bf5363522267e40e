//! Redis connections: one that all requests of the instance share, and one for each waiter.
//!
//! Opening is a TCP connection each time (the host pools nothing), and a broken one never mends itself. The host's handle
//! carries many commands at once, so requests share it without waiting for each other's replies.

use crate::domain::error::{Error, Result, Stored};
use crate::store::opening::{self, Role};
use crate::store::refusal::Failure;
use crate::store::session::Session;
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};
use spin_sdk::time;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// How long to wait before a connection that did not open is tried once more.
const PAUSE: Duration = Duration::from_millis(50);

thread_local! {
    static SHARED: RefCell<Option<Rc<Shared>>> = const { RefCell::new(None) };
}

/// The connection that all requests of the instance share.
pub(super) struct Shared {
    connection: Connection,
    replies: Cell<u64>,
}

impl Shared {
    /// Runs a command.
    pub(super) async fn execute(
        &self,
        command: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, Failure> {
        let reply = self.connection.execute(command, arguments).await;
        let reply = reply.map_err(Failure::from);
        if !matches!(reply, Err(Failure::Transport(_))) {
            self.replies.set(self.replies.get().wrapping_add(1));
        }
        reply
    }

    /// How many replies have come over it so far, refusals among them.
    pub(super) fn replies(&self) -> u64 {
        self.replies.get()
    }
}

/// The shared connection and false, or a new one and true if there is none.
pub(super) async fn shared(url: &str) -> Result<(Rc<Shared>, bool), Failure> {
    let mut is_new = false;
    loop {
        if let Some(connection) = SHARED.with_borrow(Clone::clone) {
            return Ok((connection, is_new));
        }
        is_new = true;
        match opening::join() {
            Role::Waiter(waiter) => waiter.opened().await,
            Role::Opener(_guard) => {
                let connection = match open(url).await {
                    Err(Failure::Transport(_)) => {
                        // Redis may be full for a moment, or restarting.
                        time::sleep(PAUSE).await;
                        open(url).await?
                    }
                    opened => opened?,
                };
                let connection = Rc::new(Shared {
                    connection,
                    replies: Cell::default(),
                });
                SHARED.set(Some(Rc::clone(&connection)));
                return Ok((connection, is_new));
            }
        }
    }
}

async fn open(url: &str) -> Result<Connection, Failure> {
    let opened = Connection::open(url).await.map_err(Failure::from);
    opened.map_err(|failure| match failure {
        Failure::Transport(why) => Failure::Transport(format!("no connection: {why}")),
        other => other,
    })
}

/// Makes the next request open a new shared connection in place of this one.
pub(super) fn forget(broken: &Rc<Shared>) {
    SHARED.with_borrow_mut(|shared| {
        // Another request may have replaced it already.
        if shared.as_ref().is_some_and(|connection| Rc::ptr_eq(connection, broken)) {
            *shared = None;
        }
    });
}

/// A connection of one waiter's own, for a command that blocks: on the shared one it would hold up all others. It is closed with its
/// owner.
pub(super) struct Own(Option<Connection>);

impl Own {
    /// Opens one; `None` if none opens within `redis_timeout_ms`.
    pub(super) async fn open(session: &Session) -> Option<Self> {
        let opened = session.within(session.redis_timeout, open(&session.redis_url)).await?;
        opened.ok().map(|connection| Self(Some(connection)))
    }

    /// Runs a command that stores nothing, and waits for its reply, at most for `timeout` and as long as the session lasts. If the connection is at fault, it is closed.
    pub(super) async fn run(
        &mut self,
        session: &Session,
        timeout: Duration,
        command: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>> {
        let unavailable = |why: String| Error::unavailable(why, Stored::NotAsked);
        // Dropped if this ends early: the reply may still come, and would be taken for that of the next command.
        let connection = self
            .0
            .take()
            .ok_or_else(|| unavailable("the connection is closed".into()))?;
        let Some(reply) = session.within(timeout, connection.execute(command, arguments)).await else {
            return Err(unavailable(format!("no answer within {} ms", timeout.as_millis())));
        };
        let reply = reply.map_err(Failure::from);
        if !reply.as_ref().is_err_and(Failure::ends_with_the_connection) {
            self.0 = Some(connection);
        }
        reply.map_err(|failure| failure.error(Stored::NotAsked))
    }
}

/// An argument of a Redis command.
pub(super) fn binary(bytes: &[u8]) -> RedisParameter {
    RedisParameter::Binary(bytes.to_vec())
}
