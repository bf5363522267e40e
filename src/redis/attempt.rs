//! Does something on a shared connection: within the deadline, and again if a new connection or another node may help.

use crate::domain::error::{Error, Result, Stored};
use crate::redis::act::{Act, Command};
use crate::redis::cluster;
use crate::redis::cluster::node::Node;
use crate::redis::cluster::redirect::Redirect;
use crate::redis::connection::{Shared, forget, shared};
use crate::redis::failure::Failure;
use crate::session::Session;
use spin_sdk::redis::RedisResult;
use spin_sdk::time;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long to wait before a Cluster that changes is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// What is done in Redis.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Effect {
    /// It stores nothing.
    Reads,
    /// It stores all or nothing, and if it is done twice, the second changes nothing.
    Writes,
    /// It writes like [`Effect::Writes`], and is done once `redis_replicas` replicas have it. If it is done twice, the second writes
    /// something too.
    Replicates,
}

/// Why something was not done, and what of it is stored.
pub(super) struct Failed {
    /// Why.
    pub(super) failure: Failure,
    stored: Stored,
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.failure.error(failed.stored)
    }
}

/// Runs `act` on the shared connection to the node that has `key` (`None`: to the one that `redis_host` names), and returns its reply
/// within `redis_timeout_ms`, or what the session has left, whatever Redis does.
///
/// `act` is run once more, on a new connection, if the connection broke, or if Redis refused as a replica or while it loads its
/// data: the address may lead to another Redis by now. In a Cluster, it is run until the deadline, on the node that has the key by
/// then, if a connection broke or slots move. Any other refusal is final and leaves the connection as it is.
pub(super) async fn attempt(
    session: &Session,
    effect: Effect,
    key: Option<&str>,
    act: &Act<'_>,
) -> Result<Vec<RedisResult>, Failed> {
    let attempt = Attempt {
        effect,
        began: Instant::now(),
        used: RefCell::default(),
        unknown: Cell::default(),
        node: RefCell::default(),
        last: RefCell::default(),
    };
    let timeout = session.config().redis_timeout;
    let replied = session.within(timeout, attempt.run(session, key, act)).await;
    replied
        .unwrap_or_else(|| Err(attempt.late(session)))
        .map_err(|failure| Failed {
            failure,
            stored: attempt.stored(),
        })
}

/// Runs a command that only reads, on the node that has `key`, within `redis_timeout_ms`, and again if that may help.
pub async fn ask(session: &Session, key: &str, name: &str, arguments: &[&str]) -> Result<Vec<RedisResult>> {
    let command = [Command { name, arguments }];
    Ok(attempt(session, Effect::Reads, Some(key), &Act::Commands(&command)).await?)
}

/// What has happened so far. It stands beside the future that does it, as the deadline may drop that future at any point.
struct Attempt {
    effect: Effect,
    began: Instant,
    used: RefCell<Option<Use>>,
    /// The node that is asked.
    node: RefCell<Option<Node>>,
    /// Why it was asked again.
    last: RefCell<Option<Failure>>,
    /// Whether Redis may have done something that nobody knows of.
    unknown: Cell<bool>,
}

/// The connection on which a reply is waited for.
struct Use {
    connection: Rc<Shared>,
    /// How many replies had come over it before.
    replies: u64,
    since: Instant,
}

type Reply = Result<Vec<RedisResult>, Failure>;

impl Attempt {
    async fn run(&self, session: &Session, key: Option<&str>, act: &Act<'_>) -> Reply {
        let mut is_first = true;
        let mut since = self.began;
        loop {
            let node = cluster::route(session, key).await;
            self.node.replace(Some(node.clone()));
            let failure = match self.once(session, &node, act, since).await {
                Err(failure) => failure,
                done => return done,
            };
            let used = self.used.take();
            let again = if failure.ends_with_the_connection() {
                cluster::suspect(session, &node) || is_first && used.is_some()
            } else {
                failure.ends_with_a_change_of_the_cluster()
            };
            if !again {
                return Err(failure);
            }
            if let Some(used) = used.filter(|_| failure.ends_with_the_connection()) {
                forget(&used.connection);
            }
            let at_once = match &failure {
                Failure::Moved(redirect) => {
                    cluster::moved(session, &node, redirect).await;
                    is_first
                }
                other => is_first && other.ends_with_the_connection(),
            };
            self.last.replace(Some(failure));
            if !at_once {
                time::sleep(PAUSE).await;
            }
            is_first = false;
            since = Instant::now();
        }
    }

    async fn once(&self, session: &Session, node: &Node, act: &Act<'_>, since: Instant) -> Reply {
        let waits = self.waits(session);
        let (connection, is_new) = shared(session.config(), node, waits).await?;
        self.used.replace(Some(Use {
            replies: connection.replies(),
            since: if is_new { Instant::now() } else { since },
            connection: Rc::clone(&connection),
        }));
        let mut result = self.act(session, &connection, act).await;
        if let Err(Failure::Ask(redirect)) = result {
            result = self.follow(session, node, redirect, act).await;
        }
        if let Err(Failure::Transport(_) | Failure::Data) = result {
            self.unknown.set(true);
        }
        result
    }

    /// Runs `act` on the node that a slot is moving to.
    async fn follow(&self, session: &Session, answered: &Node, redirect: Redirect, act: &Act<'_>) -> Reply {
        let node = Node::new(session.config(), answered, &redirect.to);
        let connection = Shared::asking(session.config(), node).await?;
        match self.act(session, &connection, act).await {
            // It does not import the slot yet, or no longer.
            Err(Failure::Moved(_)) => Err(Failure::Ask(redirect)),
            result => result,
        }
    }

    async fn act(&self, session: &Session, connection: &Shared, act: &Act<'_>) -> Reply {
        let reply = act.run(connection).await?;
        if self.waits(session) {
            self.unknown.set(true);
            connection.replicated(session.config()).await?;
        }
        Ok(reply)
    }

    fn waits(&self, session: &Session) -> bool {
        self.effect == Effect::Replicates && session.config().redis_replicas > 0
    }

    /// Why it failed, if the deadline has come first.
    fn late(&self, session: &Session) -> Failure {
        let timeout = session.config().redis_timeout;
        let milliseconds = self.began.elapsed().as_millis();
        self.node
            .take()
            .iter()
            .for_each(|node| _ = cluster::suspect(session, node));
        let Some(used) = self.used.take() else {
            // Spin lets a connection above its limit wait.
            let no_connection = || {
                format!("no connection within {milliseconds} ms: it is slow, or the host allows no more connections")
            };
            return self.last.take().unwrap_or_else(|| Failure::Transport(no_connection()));
        };
        self.unknown.set(true);
        if used.is_suspect(timeout) {
            forget(&used.connection);
        }
        Failure::Transport(format!("no answer within {milliseconds} ms"))
    }

    fn stored(&self) -> Stored {
        match (self.effect, self.unknown.get()) {
            (Effect::Reads, _) => Stored::NotAsked,
            (_, false) => Stored::No,
            (_, true) => Stored::Unknown,
        }
    }
}

impl Use {
    /// Whether the connection may be dead: a peer that vanished without a word looks like a slow one, and only a new connection
    /// can tell. It is not if it has brought any reply meanwhile, or was used for a short time: others may share it as healthy.
    fn is_suspect(&self, timeout: Duration) -> bool {
        let long = timeout.checked_div(2).unwrap_or_default();
        self.since.elapsed() >= long && self.connection.replies() == self.replies
    }
}
