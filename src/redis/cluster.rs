//! Which node of a Redis Cluster has a key: what the instance has learnt. Of a single Redis, it learns nothing.

mod map;
pub(super) mod node;
pub(super) mod redirect;
mod slot;

use crate::redis::connection::{binary, forget, shared};
use crate::redis::failure::Failure;
use crate::redis::flight::{Flight, Role};
use crate::session::Session;
use futures::FutureExt;
use futures::future::select_ok;
use map::Map;
use node::Node;
use redirect::{Redirect, ranges};
use slot::Slot;
use std::cell::{Cell, RefCell};
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
    /// `None` until a node says that another one has a slot, or, if there are several seeds, until one of them says where all slots are.
    static KNOWN: RefCell<Option<Map>> = const { RefCell::new(None) };
    /// When the map was asked for.
    static ASKED: Cell<Option<Instant>> = const { Cell::new(None) };
    /// The request that asks for the map.
    static ASKING: Rc<Flight> = Rc::default();
    /// The seed that answered last, and whether the instance may begin there.
    static ENTRY: Cell<(usize, bool)> = const { Cell::new((0, false)) };
}

/// The node to ask for a key; without a key, the seed that answered last. If a node did not answer before, the map is first read again,
/// from another node: a replica may have taken its slots. If there are several seeds, the first request asks them in turn for the map:
/// one of them may be away.
pub(super) async fn route(session: &Session, key: Option<&str>) -> Node {
    let (is_known, others) = KNOWN.with_borrow(|known| (known.is_some(), known.as_ref().and_then(Map::others)));
    let (_, has_entry) = ENTRY.get();
    if let (Some(others), Some(_)) = (others, key) {
        refresh(session, OLD_IF_SUSPECT, others).await;
    } else if !has_entry && session.config().seeds.count() > 1 && (key.is_none() || !is_known) {
        enter(session).await;
    }
    let owner = |key| KNOWN.with_borrow(|known| known.as_ref().and_then(|known| known.owner(Slot::new(key))));
    key.and_then(owner).unwrap_or_else(|| Node::Seed(ENTRY.get().0))
}

/// Learns from a redirect of a node where the slot is, and asks it where all others are, unless that is known well enough.
pub(super) async fn moved(session: &Session, answered: &Node, redirect: &Redirect) {
    let node = Node::new(session.config(), answered, &redirect.to);
    KNOWN.with_borrow_mut(|known| known.get_or_insert_default().learn(redirect.slot, node));
    if !is_old(OLD) {
        return;
    }
    match ASKING.with(Rc::clone).join() {
        Role::Waiter(waiter) => waiter.landed().await,
        Role::Leader(_guard) => {
            ASKED.set(Some(Instant::now()));
            // Without an answer, the map stays as it is.
            _ = ask(session, answered.clone()).await;
        }
    }
}

/// Remembers that a node did not answer. Returns whether another node may answer in its place soon.
pub(super) fn suspect(session: &Session, node: &Node) -> bool {
    // A seed that is away must be found again.
    if matches!(node, Node::Seed(number) if *number == ENTRY.get().0) {
        ENTRY.set((ENTRY.get().0, false));
    }
    let is_known = KNOWN.with_borrow_mut(|known| known.as_mut().map(|map| map.suspect(node)).is_some());
    is_known || session.config().seeds.count() > 1
}

/// Whether Redis is known to divide keys into slots: a script with keys of several is refused.
pub fn is_divided() -> bool {
    DIVIDED.get()
}

/// Remembers that Redis divides keys into slots.
pub(super) fn divided() {
    DIVIDED.set(true);
}

fn is_old(age: Duration) -> bool {
    ASKED.get().is_none_or(|asked| asked.elapsed() >= age)
}

/// Asks these nodes for the map, all at once, if the last time was `age` ago. If none of them answers, the map is forgotten, and the
/// seeds are asked: all nodes may have other addresses by now.
async fn refresh(session: &Session, age: Duration, nodes: Vec<Node>) {
    if !is_old(age) {
        return;
    }
    match ASKING.with(Rc::clone).join() {
        Role::Waiter(waiter) => waiter.landed().await,
        Role::Leader(_guard) => {
            ASKED.set(Some(Instant::now()));
            let asked: Vec<_> = nodes.into_iter().map(|node| ask(session, node).boxed_local()).collect();
            // `select_ok` takes at least one.
            if asked.is_empty() || select_ok(asked).await.is_err() {
                KNOWN.set(None);
                ask_seeds(session).await;
            }
        }
    }
}

/// Finds a seed that answers.
async fn enter(session: &Session) {
    match ASKING.with(Rc::clone).join() {
        Role::Waiter(waiter) => waiter.landed().await,
        Role::Leader(_guard) => ask_seeds(session).await,
    }
}

/// Asks the seeds in turn, the last one that answered first. If none of them answers, the next request asks again.
async fn ask_seeds(session: &Session) {
    let (last, _) = ENTRY.get();
    for number in (last..session.config().seeds.count()).chain(0..last) {
        if ask(session, Node::Seed(number)).await.is_ok() {
            ENTRY.set((number, true));
            return;
        }
    }
}

/// Asks a node for the map, and takes it over. Fails if the node does not answer within a quarter of `redis_timeout_ms`: one that hangs
/// must leave time for the others. A Redis that is no Cluster answers, too.
async fn ask(session: &Session, node: Node) -> Result<(), ()> {
    let config = session.config();
    let patience = config.redis_timeout.checked_div(4).unwrap_or_default();
    let began = Instant::now();
    let left = || patience.saturating_sub(began.elapsed());
    let connection = session.within(left(), shared(config, &node, false)).await;
    let Some(Ok((connection, _))) = connection else {
        return Err(());
    };
    let reply = connection.execute("CLUSTER", vec![binary(b"SLOTS")]);
    match session.within(left(), reply).await {
        Some(Ok(reply)) => {
            let ranges = ranges(&reply).filter(|ranges| !ranges.is_empty()).ok_or(())?;
            KNOWN.with_borrow_mut(|known| known.get_or_insert_default().replace(config, &node, ranges));
            Ok(())
        }
        Some(Err(Failure::Refused(refused))) if !refused.may_be_of_another() => Ok(()),
        // The next request that asks this node opens another connection, for which its name is resolved anew.
        _ => {
            forget(&connection);
            Err(())
        }
    }
}
