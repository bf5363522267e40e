//! Redis connections that all requests of the instance share: one to each node that they need.
//!
//! Opening is a TCP connection each time (the host pools nothing), and a broken one never mends itself. The host's handle
//! carries many commands at once, so requests share it without waiting for each other's replies.

use crate::config::Config;
use crate::redis::cluster::node::Node;
use crate::redis::failure::Failure;
use crate::redis::flight::{Flight, Role};
use crate::redis::replicas::Replication;
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};
use spin_sdk::time;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// How long to wait before a connection that did not open is tried once more.
const PAUSE: Duration = Duration::from_millis(50);

thread_local! {
    /// One for each connection that requests have needed so far.
    static LANES: RefCell<Vec<Rc<Lane>>> = const { RefCell::new(Vec::new()) };
}

/// A way to a node: the connection, once a request has opened it.
struct Lane {
    node: Node,
    /// Whether it is for writes that wait for replicas: a command that waits holds up all that come after it on its connection.
    waits: bool,
    opening: Flight,
    shared: RefCell<Option<Rc<Shared>>>,
}

impl Lane {
    fn to(node: &Node, waits: bool) -> Rc<Self> {
        LANES.with_borrow_mut(|lanes| {
            let known = lanes.iter().find(|lane| lane.waits == waits && lane.node == *node);
            known.cloned().unwrap_or_else(|| {
                let lane = Rc::new(Self {
                    node: node.clone(),
                    waits,
                    opening: Flight::default(),
                    shared: RefCell::default(),
                });
                lanes.push(Rc::clone(&lane));
                lane
            })
        })
    }
}

/// A connection that requests share.
pub(super) struct Shared {
    connection: Connection,
    replies: Cell<u64>,
    asking: bool,
    replication: Replication,
}

impl Shared {
    /// Opens a connection of one request's own to the node that a slot is moving to. Each command is preceded by `ASKING`, which a
    /// node forgets with the next command: if others used the connection, their command could come between the two.
    pub(super) async fn asking(config: &Config, node: Node) -> Result<Self, Failure> {
        Ok(Self::new(open(config, &node).await?, true))
    }

    fn new(connection: Connection, asking: bool) -> Self {
        Self {
            connection,
            replies: Cell::default(),
            asking,
            replication: Replication::default(),
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

    /// Returns when `redis_replicas` replicas have the write over this connection whose reply has just come. Fails if they do not
    /// within a third of `redis_timeout_ms`: a write that comes while others wait has the time to wait for both.
    pub(super) async fn replicated(&self, config: &Config) -> Result<(), Failure> {
        let timeout = config.redis_timeout.checked_div(3).unwrap_or_default();
        // To WAIT, 0 means for ever.
        let numbers = [u128::from(config.redis_replicas), timeout.as_millis().max(1)];
        let arguments = || numbers.map(|number| binary(number.to_string().as_bytes())).into();
        let wait = async || self.execute("WAIT", arguments()).await;
        self.replication.wait(config.redis_replicas, wait).await
    }

    /// How many replies have come over it so far, refusals among them.
    pub(super) fn replies(&self) -> u64 {
        self.replies.get()
    }
}

/// The shared connection to a node and false, or a new one and true if there is none. Writes that wait for replicas have one of their own.
pub(super) async fn shared(config: &Config, node: &Node, waits: bool) -> Result<(Rc<Shared>, bool), Failure> {
    let lane = Lane::to(node, waits);
    let mut is_new = false;
    loop {
        let shared = lane.shared.borrow().clone();
        if let Some(shared) = shared {
            return Ok((shared, is_new));
        }
        is_new = true;
        match lane.opening.join() {
            Role::Waiter(waiter) => waiter.landed().await,
            Role::Leader(_guard) => {
                let connection = match open(config, node).await {
                    Err(Failure::Transport(_)) => {
                        // Redis may be full for a moment, or restarting.
                        time::sleep(PAUSE).await;
                        open(config, node).await?
                    }
                    opened => opened?,
                };
                lane.shared.replace(Some(Rc::new(Shared::new(connection, false))));
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
    LANES.with_borrow(|lanes| {
        for lane in lanes {
            // Another request may have replaced it already.
            lane.shared.borrow_mut().take_if(|shared| Rc::ptr_eq(shared, broken));
        }
    });
}

/// An argument of a Redis command.
pub(super) fn binary(bytes: &[u8]) -> RedisParameter {
    RedisParameter::Binary(bytes.to_vec())
}
