//! Which node of a Redis Cluster has a key: what the instance has learnt from redirects. Of a single Redis, it learns nothing.

pub(super) mod node;
pub(super) mod redirect;
mod slot;

use crate::config::Config;
use crate::redis::connection::{binary, shared};
use crate::redis::failure::Failure;
use crate::redis::flight::{Flight, Role};
use crate::session::Session;
use node::Node;
use redirect::{Range, Redirect, ranges};
use slot::Slot;
use spin_sdk::redis::RedisResult;
use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How old the map has to be before a redirect makes the instance ask for it again: while slots move one by one, each redirect says
/// enough.
const OLD: Duration = Duration::from_secs(1);

/// How old the map has to be if a node does not answer: until its replica has its place.
const OLD_IF_SUSPECT: Duration = Duration::from_millis(100);

thread_local! {
    /// Whether a single script may not have the keys of a chat and of its members.
    static DIVIDED: Cell<bool> = const { Cell::new(false) };
    /// `None` until a node says that another one has a slot.
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
    /// The request that asks for the map.
    static ASKING: Rc<Flight> = Rc::default();
}

/// What is known of a Cluster.
#[derive(Default)]
struct Known {
    /// Slots and their nodes. The first that fits is the newest.
    slots: Vec<(RangeInclusive<Slot>, Node)>,
    /// All nodes, replicas included.
    nodes: Vec<Node>,
    /// When the map was asked for.
    asked: Option<Instant>,
    /// A node that did not answer since.
    suspect: Option<Node>,
}

/// The node to ask for a key; without a key, the one that `redis_host` names. If a node did not answer before, the map is first read
/// again, from another node: a replica may have taken its slots.
pub(super) async fn route(session: &Session, key: Option<&str>) -> Node {
    let Some(key) = key else {
        return Node::Configured;
    };
    let others = KNOWN.with_borrow(|known| known.as_ref().and_then(Known::others));
    if let Some(others) = others {
        refresh(session, OLD_IF_SUSPECT, others).await;
    }
    let owner = KNOWN.with_borrow(|known| known.as_ref().and_then(|known| known.owner(Slot::new(key))));
    owner.unwrap_or(Node::Configured)
}

/// Learns from a redirect of a node where the slot is, and asks it where all others are, unless that is known well enough.
pub(super) async fn moved(session: &Session, answered: &Node, redirect: &Redirect) {
    let node = Node::new(session.config(), answered, &redirect.to);
    KNOWN.with_borrow_mut(|known| known.get_or_insert_default().learn(redirect.slot, node));
    refresh(session, OLD, vec![answered.clone()]).await;
}

/// Remembers that a node did not answer. Returns whether it is one of a Cluster, which may have another in its place soon.
pub(super) fn suspect(node: &Node) -> bool {
    KNOWN.with_borrow_mut(|known| {
        let known = known.as_mut();
        known.map(|known| known.suspect = Some(node.clone())).is_some()
    })
}

/// Whether Redis is known to divide keys into slots: a script with keys of several is refused.
pub fn is_divided() -> bool {
    DIVIDED.get()
}

/// Remembers that Redis divides keys into slots.
pub(super) fn divided() {
    DIVIDED.set(true);
}

/// Asks these nodes for the map, until one has it, if the last time was `old` ago. Without an answer, the map stays as it is.
async fn refresh(session: &Session, old: Duration, nodes: Vec<Node>) {
    let asked = KNOWN.with_borrow(|known| known.as_ref().and_then(|known| known.asked));
    if asked.is_some_and(|asked| asked.elapsed() < old) {
        return;
    }
    match ASKING.with(Rc::clone).join() {
        Role::Waiter(waiter) => waiter.landed().await,
        Role::Leader(_guard) => {
            KNOWN.with_borrow_mut(|known| known.get_or_insert_default().asked = Some(Instant::now()));
            for node in nodes {
                // One that hangs must leave time for the others.
                let patience = session.config().redis_timeout.checked_div(4).unwrap_or_default();
                let Some(Ok(reply)) = session.within(patience, map(session.config(), &node)).await else {
                    continue;
                };
                if let Some(ranges) = ranges(&reply).filter(|ranges| !ranges.is_empty()) {
                    KNOWN.with_borrow_mut(|known| {
                        known.get_or_insert_default().replace(session.config(), &node, ranges);
                    });
                    return;
                }
            }
        }
    }
}

async fn map(config: &Config, node: &Node) -> Result<Vec<RedisResult>, Failure> {
    let (connection, _) = shared(config, node, false).await?;
    connection.execute("CLUSTER", vec![binary(b"SLOTS")]).await
}

impl Known {
    fn owner(&self, slot: Slot) -> Option<Node> {
        let mut fitting = self.slots.iter().filter(|(slots, _)| slots.contains(&slot));
        fitting.next().map(|(_, node)| node.clone())
    }

    /// The nodes that can say what has become of the suspect, if there is one.
    fn others(&self) -> Option<Vec<Node>> {
        let suspect = self.suspect.as_ref()?;
        Some(self.nodes.iter().filter(|node| *node != suspect).cloned().collect())
    }

    fn learn(&mut self, slot: Slot, node: Node) {
        if self.owner(slot).as_ref() != Some(&node) {
            self.slots.retain(|(slots, _)| *slots != (slot..=slot));
            self.slots.insert(0, (slot..=slot, node));
        }
    }

    /// Takes over what `answered` says of all slots.
    fn replace(&mut self, config: &Config, answered: &Node, ranges: Vec<Range>) {
        self.suspect = None;
        self.slots.clear();
        self.nodes.clear();
        let mut replicas = Vec::new();
        for range in ranges {
            let primary = Node::new(config, answered, &range.primary);
            if !self.nodes.contains(&primary) {
                self.nodes.push(primary.clone());
            }
            replicas.extend(range.replicas);
            self.slots.push((range.first..=range.last, primary));
        }
        // Connections to the primaries are open already: they come first.
        let replicas = replicas.iter().map(|replica| Node::new(config, answered, replica));
        self.nodes.extend(replicas);
    }
}
