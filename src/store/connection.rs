//! Redis connections: one that all requests of the instance share, and one for each request that blocks.
//!
//! Opening is a TCP connection each time (the host pools nothing), and a broken one never mends itself. The host's handle
//! carries many commands at once, so requests share it without waiting for each other's replies.

use crate::domain::error::Error;
use crate::store::opening::{self, Role};
use futures::future::{Either, select};
use spin_sdk::redis::{self, Connection, RedisParameter, RedisResult};
use spin_sdk::time;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

thread_local! {
    static SHARED: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
}

/// The shared connection, or a new one if there is none.
pub(super) async fn shared(url: &str) -> Result<Rc<Connection>, redis::Error> {
    loop {
        if let Some(connection) = SHARED.with_borrow(Clone::clone) {
            return Ok(connection);
        }
        match opening::join() {
            Role::Waiter(waiter) => waiter.opened().await,
            Role::Opener(_guard) => {
                let connection = Rc::new(Connection::open(url).await?);
                SHARED.set(Some(Rc::clone(&connection)));
                return Ok(connection);
            }
        }
    }
}

/// Makes the next request open a new shared connection in place of this one.
pub(super) fn forget(broken: &Rc<Connection>) {
    SHARED.with_borrow_mut(|shared| {
        // Another request may have replaced it already.
        if shared.as_ref().is_some_and(|connection| Rc::ptr_eq(connection, broken)) {
            *shared = None;
        }
    });
}

/// A connection of one request's own, for a command that blocks: on the shared one it would hold up all others. It is opened when
/// first needed, and closed with its owner.
#[derive(Default)]
pub(super) struct BlockingConnection(Option<Connection>);

impl BlockingConnection {
    /// Runs a command that Redis may take as long as `block` to reply to, and waits `timeout` longer. After a failure, the
    /// next command opens the connection anew.
    pub(super) async fn run(
        &mut self,
        url: &str,
        block: Duration,
        timeout: Duration,
        command: &str,
        arguments: &[&[u8]],
    ) -> Result<Vec<RedisResult>, NoReply> {
        let arguments: Vec<_> = arguments.iter().copied().map(binary).collect();
        // Dropped if this ends early: the reply may still come, and would be taken for that of the next command.
        let connection = self.0.take();
        let reply = async {
            let connection = match connection {
                Some(connection) => connection,
                None => Connection::open(url).await?,
            };
            let reply = connection.execute(command, arguments).await?;
            Ok((connection, reply))
        };
        let (connection, reply) = within(block.saturating_add(timeout), reply).await?;
        self.0 = Some(connection);
        Ok(reply)
    }
}

/// Why there is no reply.
pub(super) enum NoReply {
    /// It did not come within this time.
    Late(Duration),
    /// The connection broke, or Redis refused the command.
    Failed(redis::Error),
}

/// Waits for `reply`, at most for `timeout`.
pub(super) async fn within<T>(
    timeout: Duration,
    reply: impl Future<Output = Result<T, redis::Error>>,
) -> Result<T, NoReply> {
    match select(pin!(reply), pin!(time::sleep(timeout))).await {
        Either::Left((reply, _)) => reply.map_err(NoReply::Failed),
        Either::Right(((), _)) => Err(NoReply::Late(timeout)),
    }
}

impl From<NoReply> for Error {
    fn from(no_reply: NoReply) -> Self {
        match no_reply {
            NoReply::Late(timeout) => Self::Unavailable(format!("no answer within {} ms", timeout.as_millis())),
            NoReply::Failed(redis::Error::InvalidAddress) => {
                Self::internal("the Redis address is malformed, or allowed_outbound_hosts does not have it".to_owned())
            }
            NoReply::Failed(redis::Error::TooManyConnections) => {
                Self::Unavailable("the host allows no more connections".into())
            }
            NoReply::Failed(redis::Error::TypeError) => {
                Self::Unavailable("the reply was of a type that the host does not know".into())
            }
            NoReply::Failed(redis::Error::Other(why)) => Self::Unavailable(why),
        }
    }
}

/// An argument of a Redis command.
pub(super) fn binary(bytes: &[u8]) -> RedisParameter {
    RedisParameter::Binary(bytes.to_vec())
}
