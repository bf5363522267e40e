//! Does something on a shared connection: within the deadline, and again if a new connection or another node may help.

use crate::domain::error::{Error, Result, Stored};
use crate::store::cluster;
use crate::store::connection::{Shared, binary, forget, shared};
use crate::store::node::Node;
use crate::store::redirect::Redirect;
use crate::store::refusal::Failure;
use crate::store::session::Session;
use futures::future::LocalBoxFuture;
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
    /// It stores all or nothing, and the same if it is done twice.
    Writes,
    /// The same, and it is done once `redis_replicas` replicas have it. If it is done twice, the second writes something too.
    Sends,
}

/// What an attempt does on a connection: one function, or each kind of it would make the component 8 kB larger.
pub(super) trait Act {
    /// Does it, and returns what Redis replied.
    fn act<'a>(&'a self, connection: &'a Shared) -> LocalBoxFuture<'a, Reply>;
}

type Reply = Result<Vec<RedisResult>, Failure>;

impl<F: AsyncFn(&Shared) -> Reply> Act for F {
    fn act<'a>(&'a self, connection: &'a Shared) -> LocalBoxFuture<'a, Reply> {
        Box::pin(self(connection))
    }
}

/// Does `act` on the shared connection to the node that has `key` (`None`: to the one that `redis_host` names), and returns its result
/// within `redis_timeout_ms`, or what the session has left, whatever Redis does.
///
/// `act` is done once more, on a new connection, if the connection broke, or if Redis refused as a replica or while it loads its
/// data: the address may lead to another Redis by now. In a Cluster, it is done until the deadline, on the node that has the key by
/// then, if a connection broke or slots move. Any other refusal is final and leaves the connection as it is. What passes by itself is
/// [`Error::Unavailable`], with what is stored; what a person must repair is [`Error::Internal`].
pub(super) async fn attempt(
    session: &Session,
    effect: Effect,
    key: Option<&str>,
    act: &dyn Act,
) -> Result<Vec<RedisResult>> {
    let attempt = Attempt {
        effect,
        began: Instant::now(),
        used: RefCell::default(),
        unknown: Cell::default(),
        node: RefCell::default(),
        last: RefCell::default(),
    };
    let run = attempt.run(session, key, act);
    match session.within(session.redis_timeout, run).await {
        Some(result) => result.map_err(|failure| failure.error(attempt.stored())),
        None => Err(attempt.late(session.redis_timeout)),
    }
}

/// Runs a command that only reads, on the node that has `key`, as [`attempt`] does.
pub(super) async fn ask(session: &Session, key: &str, command: &str, arguments: &[&str]) -> Result<Vec<RedisResult>> {
    let arguments = || arguments.iter().map(|word| binary(word.as_bytes())).collect();
    let act = async |connection: &Shared| connection.execute(command, arguments()).await;
    attempt(session, Effect::Reads, Some(key), &act).await
}

/// What has happened so far, for the case that the deadline ends it.
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

impl Attempt {
    async fn run(&self, session: &Session, key: Option<&str>, act: &dyn Act) -> Reply {
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
                cluster::suspect(&node) || is_first && used.is_some()
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

    async fn once(&self, session: &Session, node: &Node, act: &dyn Act, since: Instant) -> Reply {
        let waits = self.waits(session);
        let (connection, is_new) = shared(session, node, waits).await?;
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

    /// Does `act` on the node that a slot is moving to.
    async fn follow(&self, session: &Session, answered: &Node, redirect: Redirect, act: &dyn Act) -> Reply {
        let node = Node::new(session, answered, &redirect.to);
        let connection = Shared::asking(session, node).await?;
        match self.act(session, &connection, act).await {
            // It does not import the slot yet, or no longer.
            Err(Failure::Moved(_)) => Err(Failure::Ask(redirect)),
            result => result,
        }
    }

    async fn act(&self, session: &Session, connection: &Shared, act: &dyn Act) -> Reply {
        let reply = act.act(connection).await?;
        if self.waits(session) {
            self.unknown.set(true);
            connection.replicated(session).await?;
        }
        Ok(reply)
    }

    fn waits(&self, session: &Session) -> bool {
        self.effect == Effect::Sends && session.redis_replicas > 0
    }

    /// The error if the deadline has come first.
    fn late(&self, timeout: Duration) -> Error {
        let milliseconds = self.began.elapsed().as_millis();
        self.node.take().iter().for_each(|node| _ = cluster::suspect(node));
        let Some(used) = self.used.take() else {
            if let Some(failure) = self.last.take() {
                return failure.error(self.stored());
            }
            // Spin lets a connection above its limit wait.
            let why =
                format!("no connection within {milliseconds} ms: it is slow, or the host allows no more connections");
            return Error::unavailable(why, self.stored());
        };
        self.unknown.set(true);
        if used.is_suspect(timeout) {
            forget(&used.connection);
        }
        Error::unavailable(format!("no answer within {milliseconds} ms"), self.stored())
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
