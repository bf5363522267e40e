//! Does something on the shared connection: within the deadline, and once more if a new connection may help.

use crate::domain::error::{Error, Result, Stored};
use crate::store::connection::{Shared, forget, shared};
use crate::store::refusal::Failure;
use crate::store::session::Session;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What is done in Redis.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Effect {
    /// It stores nothing.
    Reads,
    /// It stores all or nothing, and the same if it is done twice.
    Writes,
}

/// Does `act` on the shared connection, and returns its result within `redis_timeout_ms`, or what the session has left, whatever
/// Redis does.
///
/// `act` is done once more, on a new connection, if the connection broke, or if Redis refused as a replica or while it loads its
/// data: the address may lead to another Redis by now. Any other refusal is final and leaves the connection as it is. What passes
/// by itself is [`Error::Unavailable`], with what is stored; what a person must repair is [`Error::Internal`].
pub(super) async fn attempt<T>(
    session: &Session,
    effect: Effect,
    act: impl AsyncFn(&Shared) -> Result<T, Failure>,
) -> Result<T> {
    let attempt = Attempt {
        began: Instant::now(),
        used: RefCell::default(),
        unknown: Cell::default(),
    };
    let run = attempt.run(&session.redis_url, &act);
    match session.within(session.redis_timeout, run).await {
        Some(result) => result.map_err(|failure| failure.error(attempt.stored(effect))),
        None => Err(attempt.late(session.redis_timeout, effect)),
    }
}

/// What has happened so far, for the case that the deadline ends it.
struct Attempt {
    began: Instant,
    used: RefCell<Option<Use>>,
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
    async fn run<T>(&self, url: &str, act: &impl AsyncFn(&Shared) -> Result<T, Failure>) -> Result<T, Failure> {
        let first = self.once(url, act, self.began).await;
        let Err(failure) = &first else { return first };
        let used = self.used.take();
        match used {
            Some(used) if failure.ends_with_the_connection() => forget(&used.connection),
            _ => return first,
        }
        self.once(url, act, Instant::now()).await
    }

    async fn once<T>(
        &self,
        url: &str,
        act: &impl AsyncFn(&Shared) -> Result<T, Failure>,
        since: Instant,
    ) -> Result<T, Failure> {
        let (connection, is_new) = shared(url).await?;
        self.used.replace(Some(Use {
            replies: connection.replies(),
            since: if is_new { Instant::now() } else { since },
            connection: Rc::clone(&connection),
        }));
        let result = act(&connection).await;
        if let Err(Failure::Transport(_) | Failure::Data) = result {
            self.unknown.set(true);
        }
        result
    }

    /// The error if the deadline has come first.
    fn late(&self, timeout: Duration, effect: Effect) -> Error {
        let milliseconds = self.began.elapsed().as_millis();
        let Some(used) = self.used.take() else {
            // Spin lets a connection above its limit wait.
            let why =
                format!("no connection within {milliseconds} ms: it is slow, or the host allows no more connections");
            return Error::unavailable(why, self.stored(effect));
        };
        self.unknown.set(true);
        if used.is_suspect(timeout) {
            forget(&used.connection);
        }
        Error::unavailable(format!("no answer within {milliseconds} ms"), self.stored(effect))
    }

    fn stored(&self, effect: Effect) -> Stored {
        match (effect, self.unknown.get()) {
            (Effect::Reads, _) => Stored::NotAsked,
            (Effect::Writes, false) => Stored::No,
            (Effect::Writes, true) => Stored::Unknown,
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
