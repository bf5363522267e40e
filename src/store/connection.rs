//! Redis connections that all requests of the instance share: one to each node that they need.
//!
//! Opening is a TCP connection each time (the host pools nothing), and a broken one never mends itself. The host's handle
//! carries many commands at once, so requests share it without waiting for each other's replies.

use crate::config::Config;
use crate::store::node::Node;
use crate::store::opening::{self, Role};
use crate::store::refusal::Failure;
use crate::store::replicas::Waits;
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};
use spin_sdk::time;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// How long to wait before a connection that did not open is tried once more.
const PAUSE: Duration = Duration::from_millis(50);

thread_local! {
    static SHARED: RefCell<Vec<Rc<Shared>>> = const { RefCell::new(Vec::new()) };
}

/// A node, and whether it is its connection for writes that wait for replicas: what waits holds up all that comes after it.
type Place = (Node, bool);

/// A connection that requests share.
pub(super) struct Shared {
    place: Place,
    connection: Connection,
    replies: Cell<u64>,
    asking: bool,
    waits: Waits,
}

impl Shared {
    /// Opens a connection of one request's own to the node that a slot is moving to. Each command is preceded by `ASKING`, which a
    /// node forgets with the next command: on a connection that others use, theirs would take it.
    pub(super) async fn asking(config: &Config, node: Node) -> Result<Self, Failure> {
        let connection = open(config, &node).await?;
        Ok(Self::new((node, false), connection, true))
    }

    fn new(place: Place, connection: Connection, asking: bool) -> Self {
        Self {
            place,
            connection,
            replies: Cell::default(),
            asking,
            waits: Waits::default(),
        }
    }

    /// Runs a command.
    pub(super) async fn execute(
        &self,
        command: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, Failure> {
        if self.asking {
            self.connection.execute("ASKING", Vec::new()).await?;
        }
        let reply = self.connection.execute(command, arguments).await;
        let reply = reply.map_err(Failure::from);
        if !matches!(reply, Err(Failure::Transport(_))) {
            self.replies.set(self.replies.get().wrapping_add(1));
        }
        reply
    }

    /// Returns when `redis_replicas` replicas have all that was written over this connection and acknowledged. Fails if they do not within
    /// a third of `redis_timeout_ms`: a write that comes while others wait has the time to wait for both.
    pub(super) async fn replicated(&self, config: &Config) -> Result<(), Failure> {
        let timeout = config.redis_timeout.checked_div(3).unwrap_or_default();
        // To WAIT, 0 means for ever.
        let numbers = [u128::from(config.redis_replicas), timeout.as_millis().max(1)];
        let arguments = || numbers.map(|number| binary(number.to_string().as_bytes())).into();
        let wait = async || self.execute("WAIT", arguments()).await;
        self.waits.wait(config.redis_replicas, wait).await
    }

    /// How many replies have come over it so far, refusals among them.
    pub(super) fn replies(&self) -> u64 {
        self.replies.get()
    }
}

/// The shared connection to a node and false, or a new one and true if there is none. Writes that wait for replicas have one of their own.
pub(super) async fn shared(config: &Config, node: &Node, waits: bool) -> Result<(Rc<Shared>, bool), Failure> {
    let place = (node.clone(), waits);
    let goal = [node.name(), if waits { " for replicas" } else { "" }].concat();
    let mut is_new = false;
    loop {
        if let Some(connection) =
            SHARED.with_borrow(|shared| shared.iter().find(|shared| shared.place == place).cloned())
        {
            return Ok((connection, is_new));
        }
        is_new = true;
        match opening::join(&goal) {
            Role::Waiter(waiter) => waiter.opened().await,
            Role::Opener(_guard) => {
                let connection = match open(config, node).await {
                    Err(Failure::Transport(_)) => {
                        // Redis may be full for a moment, or restarting.
                        time::sleep(PAUSE).await;
                        open(config, node).await?
                    }
                    opened => opened?,
                };
                let connection = Rc::new(Shared::new(place, connection, false));
                SHARED.with_borrow_mut(|shared| shared.push(Rc::clone(&connection)));
                return Ok((connection, is_new));
            }
        }
    }
}

/// Opens a connection to a node.
pub(super) async fn open(config: &Config, node: &Node) -> Result<Connection, Failure> {
    let opened = Connection::open(node.url(config)).await.map_err(Failure::from);
    opened.map_err(|failure| match (failure, node) {
        (Failure::Transport(why), _) => Failure::Transport(format!("no connection: {why}")),
        (Failure::Address(_), Node::At(address)) => Failure::Address(Some(Rc::clone(address))),
        (other, _) => other,
    })
}

/// Makes the next request open a new shared connection in place of this one.
pub(super) fn forget(broken: &Rc<Shared>) {
    // Another request may have replaced it already.
    SHARED.with_borrow_mut(|shared| shared.retain(|connection| !Rc::ptr_eq(connection, broken)));
}

/// An argument of a Redis command.
pub(super) fn binary(bytes: &[u8]) -> RedisParameter {
    RedisParameter::Binary(bytes.to_vec())
}
