//! Follows a chat: reads the chat log from a position, and waits at its end.

use crate::domain::caller::Caller;
use crate::domain::chat::Chat;
use crate::domain::error::Result;
use crate::domain::page::MAX_PAGE_JSON;
use crate::domain::position::{Position, Reset};
use crate::domain::slice::Found;
use crate::domain::update::{FollowRequest, Start, Update};
use crate::service::lease::lease;
use crate::service::rights;
use crate::service::term::Term;
use crate::service::updates::{self, Updates};
use crate::session::Session;
use crate::store::{self, ChatWatch, Lease, Located};
use futures::future::join;
use std::mem;
use std::time::Instant;

/// The most messages that a follower receives at once.
const MESSAGES_AT_ONCE: u16 = 100;

/// Whether the follower has received all that the chat log had when it was read last.
#[derive(PartialEq)]
enum Phase {
    Reading,
    Waiting,
}

/// What a caller may follow: a chat that they may read.
pub struct MayFollowChat {
    caller: Caller,
    request: FollowRequest,
}

impl MayFollowChat {
    /// Fails with [`Forbidden`](crate::domain::error::Error::Forbidden) if the caller may not read the chat.
    pub fn check(caller: Caller, request: FollowRequest) -> Result<Self> {
        rights::may_read(&caller, &request.chat)?;
        Ok(Self { caller, request })
    }

    /// Begins to follow the chat. The follower receives every message that is sent after this has returned, if it receives all
    /// before it. Fails with [`TooManyStreams`](crate::domain::error::Error::TooManyStreams) if the caller has as many streams as are
    /// allowed; what Redis fails is the inner failure.
    pub async fn begin(self, session: &Session) -> Result<(Option<Lease>, Result<ChatFollower>)> {
        let follower = ChatFollower::new(session, &self.caller, self.request);
        let (lease, follower) = join(lease(session, &self.caller), follower).await;
        Ok((lease?, follower))
    }
}

/// A follower of a chat. It has a Redis connection of its own while it waits, and keeps no message that it has passed on.
pub struct ChatFollower {
    chat: Chat,
    position: Position,
    phase: Phase,
    /// What the follower receives first.
    opening: Vec<Update>,
    watch: ChatWatch,
    session: Session,
    term: Term,
}

impl ChatFollower {
    async fn new(session: &Session, caller: &Caller, request: FollowRequest) -> Result<Self> {
        let (position, opening) = match store::locate(session, &request.chat, request.from).await? {
            Located::At(epoch, position) => {
                let open = Update::Open {
                    epoch,
                    position: Some(position),
                };
                (position, vec![open])
            }
            Located::Void(reset) => {
                // With the client's own position: if the stream breaks before the reset, the next one has it again.
                let open = Update::Open {
                    epoch: reset.epoch,
                    position: own_position(request.from),
                };
                (reset.position, vec![open, Update::Reset(reset)])
            }
        };
        let config = session.config();
        Ok(Self {
            chat: request.chat,
            position,
            phase: Phase::Reading,
            opening,
            watch: ChatWatch::default(),
            term: Term::new(config.stream_lifetime, caller),
            session: Session::endless(config.clone()),
        })
    }

    /// Up to where the follower has received everything.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Waits for updates. Returns an empty list after a silent heartbeat, and `None` once the stream's lifetime is over. Fails with
    /// [`Unauthenticated`](crate::domain::error::Error::Unauthenticated) once the caller's token is over.
    ///
    /// While Redis is away, it is asked again for as long as `redis_timeout_ms`, and then this fails with
    /// [`Unavailable`](crate::domain::error::Error::Unavailable).
    pub async fn next(&mut self) -> Result<Option<Vec<Update>>> {
        if !self.opening.is_empty() {
            return Ok(Some(mem::take(&mut self.opening)));
        }
        updates::next(self).await
    }

    /// When the stream's lifetime is over.
    pub fn ends(&self) -> Instant {
        self.term.ends()
    }

    async fn read_page(&mut self) -> Result<Vec<Update>> {
        let found = store::page_after(&self.session, &self.chat, self.position, MESSAGES_AT_ONCE).await?;
        let slice = match found {
            // Short names: what is left out comes with the next.
            Found::Slice(slice) => slice.map(|slice| slice.within(MAX_PAGE_JSON, 0)),
            Found::Reset(reset) => return Ok(self.reset(reset)),
        };
        let newest = slice.as_ref().map(|slice| slice.extent.newest);
        let updates = self.position.advance(slice);
        let received_all = newest.is_none_or(|newest| newest < self.position.next_index());
        self.phase = if received_all { Phase::Waiting } else { Phase::Reading };
        Ok(updates)
    }

    fn reset(&mut self, reset: Reset) -> Vec<Update> {
        self.position = reset.position;
        self.phase = Phase::Reading;
        vec![Update::Reset(reset)]
    }
}

impl Updates for ChatFollower {
    type Update = Update;

    fn term(&self) -> &Term {
        &self.term
    }

    fn session(&self) -> &Session {
        &self.session
    }

    /// Returns what is new now, or else what is new after a wait of one heartbeat at most.
    async fn read(&mut self) -> Result<Vec<Update>> {
        if self.phase == Phase::Reading {
            let updates = self.read_page().await?;
            if !updates.is_empty() {
                return Ok(updates);
            }
        }
        // If the wait fails, the log is read before the next one.
        self.phase = Phase::Reading;
        let timeout = self.term.left().min(self.session.config().stream_heartbeat);
        let after = self.position.id();
        self.watch.wait(&self.session, &self.chat, after, timeout).await?;
        // Also after a silence: a log that is begun anew by a clock that was set back wakes nobody.
        self.read_page().await
    }
}

/// A position that leads to the same reset again; `None` if only one that cannot be read does.
fn own_position(start: Start) -> Option<Position> {
    match start {
        Start::Now | Start::Unreadable => None,
        Start::After(position) => Some(position),
        Start::Cursor { index, epoch } => epoch.map(|epoch| Position::Start.before(epoch, index)),
    }
}
