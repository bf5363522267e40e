//! A connection of one waiter's own, for a command that blocks: on a shared one it would hold up all others.

use crate::redis::cluster;
use crate::redis::cluster::node::Node;
use crate::redis::connection::open;
use crate::redis::failure::Failure;
use crate::session::Session;
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};
use std::time::Duration;

/// The connection. It is closed with its owner.
pub(in crate::redis) struct Own {
    node: Node,
    connection: Option<Connection>,
}

impl Own {
    /// Opens one to the node that has this key; `None` if none opens within `redis_timeout_ms`.
    pub(in crate::redis) async fn open(session: &Session, key: &str) -> Option<Self> {
        let opened = async {
            let node = cluster::route(session, Some(key)).await;
            let connection = open(session.config(), &node).await.ok();
            connection.is_some().then_some(Self { node, connection })
        };
        session.within(session.config().redis_timeout, opened).await?
    }

    /// The node that it leads to.
    pub(in crate::redis) fn node(&self) -> &Node {
        &self.node
    }

    /// Runs a command that stores nothing, and waits for its reply, at most for `timeout` and as long as the session lasts. If the
    /// connection is at fault, it is closed.
    pub(in crate::redis) async fn run(
        &mut self,
        session: &Session,
        timeout: Duration,
        command: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, Failure> {
        // Dropped if this ends early: the reply may still come, and would be taken for that of the next command.
        let connection = self.connection.take();
        let connection = connection.ok_or_else(|| Failure::Transport("the connection is closed".into()))?;
        let late = || Failure::Transport(format!("no answer within {} ms", timeout.as_millis()));
        let reply = session.within(timeout, connection.execute(command, arguments)).await;
        let reply = reply.map_or_else(|| Err(late()), |reply| reply.map_err(Failure::from));
        if reply.as_ref().is_err_and(Failure::ends_with_the_connection) {
            cluster::suspect(session, &self.node);
        } else {
            self.connection = Some(connection);
        }
        reply
    }
}
