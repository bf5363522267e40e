//! Follows an inbox: reads it whole, and then each chat in which something changes.

use crate::domain::caller::Caller;
use crate::domain::chat::Chat;
use crate::domain::entry_id::EntryId;
use crate::domain::error::Result;
use crate::domain::inbox::{InboxFields, InboxRequest};
use crate::domain::inbox_update::{Change, FollowInboxRequest, InboxUpdate};
use crate::service::inbox::read_page;
use crate::service::lease::lease;
use crate::service::rights;
use crate::service::term::Term;
use crate::service::updates::{self, Updates};
use crate::session::Session;
use crate::store::{self, Feed, FeedWatch, Head, Lease};
use std::time::Instant;

/// Whether there may be changes that the follower has not read.
#[derive(PartialEq)]
enum Phase {
    Reading,
    Waiting,
}

/// What a caller may follow: an inbox, their own or that of whom they may name.
pub struct MayFollowInbox {
    caller: Caller,
    request: FollowInboxRequest,
}

impl MayFollowInbox {
    /// Parses a request to follow an inbox after the update with the id `after`. Fails with
    /// [`Forbidden`](crate::domain::error::Error::Forbidden) if the caller may not read it.
    pub fn check(caller: Caller, fields: InboxFields, after: Option<EntryId>) -> Result<Self> {
        let before = None;
        let InboxRequest { reader, limit, .. } = rights::inbox_request(&caller, &InboxFields { before, ..fields })?;
        let request = FollowInboxRequest { reader, limit, after };
        Ok(Self { caller, request })
    }

    /// What is followed.
    pub fn request(&self) -> &FollowInboxRequest {
        &self.request
    }

    /// Begins to follow the inbox. Fails with [`TooManyStreams`](crate::domain::error::Error::TooManyStreams) if the caller has as many
    /// streams as are allowed.
    pub async fn begin(self, session: &Session) -> Result<(Option<Lease>, InboxFollower)> {
        let lease = lease(session, &self.caller).await?;
        let config = session.config();
        let follower = InboxFollower {
            request: self.request,
            phase: Phase::Reading,
            watch: FeedWatch::default(),
            term: Term::new(config.stream_lifetime, &self.caller),
            session: Session::endless(config.clone()),
        };
        Ok((lease, follower))
    }
}

/// A follower of an inbox. It has a Redis connection of its own while it waits, and keeps nothing that it has passed on.
pub struct InboxFollower {
    request: FollowInboxRequest,
    phase: Phase,
    watch: FeedWatch,
    session: Session,
    term: Term,
}

impl InboxFollower {
    /// The id of the last update that the follower has received, now or before it came; `None` if there is none.
    pub fn last(&self) -> Option<EntryId> {
        self.request.after
    }

    /// Waits for updates. Returns an empty list after a silent heartbeat, and `None` once the stream's lifetime is over. Fails with
    /// [`Unauthenticated`](crate::domain::error::Error::Unauthenticated) once the caller's token is over.
    ///
    /// The first one is the whole first page, unless the feed still has what changed after the follower's last update. Every change
    /// after that one leads to an update, or to another whole page: the feed is made before the page is read, and its place is kept
    /// only once all that it says has been read.
    ///
    /// While Redis is away, it is asked again for as long as `redis_timeout_ms`, and then this fails with
    /// [`Unavailable`](crate::domain::error::Error::Unavailable).
    pub async fn next(&mut self) -> Result<Option<Vec<InboxUpdate>>> {
        updates::next(self).await
    }

    /// When the stream's lifetime is over.
    pub fn ends(&self) -> Instant {
        self.term.ends()
    }

    async fn all(&self, id: EntryId) -> Result<InboxUpdate> {
        let request = InboxRequest {
            reader: self.request.reader.clone(),
            limit: self.request.limit,
            before: None,
        };
        let page = read_page(&self.session, &request).await?;
        Ok(InboxUpdate {
            id,
            change: Change::All(page),
        })
    }

    /// An update for each of the chats. A client that breaks off between them has the id from before them all.
    async fn changes(&self, id: EntryId, chats: Vec<Chat>) -> Result<Vec<InboxUpdate>> {
        let listed: Vec<_> = chats.iter().collect();
        let heads = store::heads(&self.session, &self.request.reader, &listed, listed.len()).await?;
        let before = self.request.after.unwrap_or(id);
        let change = |(chat, head)| match head {
            Head::Entry(entry) => Some(Change::Chat(entry)),
            Head::Empty => Some(Change::Gone(chat)),
            // The client keeps what it has.
            Head::Unreadable => None,
        };
        let changes = chats.into_iter().zip(heads).filter_map(change);
        let mut updates: Vec<_> = changes.map(|change| InboxUpdate { id: before, change }).collect();
        if let Some(last) = updates.last_mut() {
            last.id = id;
        }
        Ok(updates)
    }
}

impl Updates for InboxFollower {
    type Update = InboxUpdate;

    fn term(&self) -> &Term {
        &self.term
    }

    fn session(&self) -> &Session {
        &self.session
    }

    /// Returns what has changed, after a wait of one heartbeat at most.
    async fn read(&mut self) -> Result<Vec<InboxUpdate>> {
        if let (Phase::Waiting, Some(last)) = (&self.phase, self.request.after) {
            // If the wait fails, the next read comes without one.
            self.phase = Phase::Reading;
            let timeout = self.term.left().min(self.session.config().stream_heartbeat);
            self.watch
                .wait(&self.session, &self.request.reader, last, timeout)
                .await?;
        }
        // Also after a silence: to keep the feed alive, and to notice if it is gone, as then nobody would wake this follower.
        let (id, updates) = match store::read_feed(&self.session, &self.request.reader, self.request.after).await? {
            Feed::All(id) => (id, vec![self.all(id).await?]),
            Feed::Since(id, chats) => (id, self.changes(id, chats).await?),
        };
        self.request.after = Some(id);
        self.phase = Phase::Waiting;
        Ok(updates)
    }
}
