//! Follows an inbox: reads it whole, and then each chat in which something changes.

use crate::domain::caller::Caller;
use crate::domain::chat::Chat;
use crate::domain::entry_id::{EntryId, MOST};
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
use std::time::{Duration, Instant};

/// How long to wait before chats are read again that could not be read.
const AGAIN: Duration = Duration::from_secs(1);

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
            seen: self.request.after,
            owed: Vec::new(),
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
    /// Up to where the feed has been read: further than the client's place while chats are owed.
    seen: Option<EntryId>,
    /// The chats that have changed and could not be read since.
    owed: Vec<Chat>,
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

    /// The whole page.
    async fn all(&mut self) -> Result<Vec<Change>> {
        let request = InboxRequest {
            reader: self.request.reader.clone(),
            limit: self.request.limit,
            before: None,
        };
        let page = read_page(&self.session, &request).await?;
        self.owed.clone_from(&page.away);
        Ok(vec![Change::All(page)])
    }

    /// What has become of the chats, and of those that are owed. The client keeps what it has of one that cannot be read.
    async fn changes(&mut self, mut chats: Vec<Chat>) -> Result<Vec<Change>> {
        let unnamed = self.owed.iter().filter(|owed| !chats.contains(owed));
        chats.extend(unnamed.cloned().collect::<Vec<_>>());
        let listed: Vec<_> = chats.iter().collect();
        let session = self.session.part(self.session.config().redis_timeout);
        let heads = store::heads(&session, &self.request.reader, &listed, listed.len()).await?;
        self.owed.clear();
        let mut changes = Vec::new();
        for (chat, head) in chats.into_iter().zip(heads) {
            match head {
                Head::Entry(entry) => changes.push(Change::Chat(entry)),
                Head::Empty => changes.push(Change::Gone(chat)),
                Head::Unreadable => {}
                Head::Away => self.owed.push(chat),
            }
        }
        Ok(changes)
    }

    /// The changes as updates. A client that breaks off between them has the id from before them all, and one to which chats are owed
    /// keeps it: if it never had one, one that no feed gives out, so that it begins with a whole page again.
    fn updates(&self, id: EntryId, changes: Vec<Change>) -> Vec<InboxUpdate> {
        let unknown = EntryId { index: MOST, ..id };
        let before = self
            .request
            .after
            .unwrap_or(if self.owed.is_empty() { id } else { unknown });
        let update = |change| InboxUpdate { id: before, change };
        let mut updates: Vec<_> = changes.into_iter().map(update).collect();
        if let Some(last) = updates.last_mut().filter(|_| self.owed.is_empty()) {
            last.id = id;
        }
        updates
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
        if let (Phase::Waiting, Some(last)) = (&self.phase, self.seen) {
            // If the wait fails, the next read comes without one.
            self.phase = Phase::Reading;
            let most = if self.owed.is_empty() { Duration::MAX } else { AGAIN };
            let timeout = self.term.left().min(self.session.config().stream_heartbeat).min(most);
            self.watch
                .wait(&self.session, &self.request.reader, last, timeout)
                .await?;
        }
        // Also after a silence: to keep the feed alive, and to notice if it is gone, as then nobody would wake this follower.
        let (id, changes) = match store::read_feed(&self.session, &self.request.reader, self.seen).await? {
            Feed::All(id) => (id, self.all().await?),
            Feed::Since(id, chats) => (id, self.changes(chats).await?),
        };
        let updates = self.updates(id, changes);
        self.seen = Some(id);
        if self.owed.is_empty() {
            self.request.after = self.seen;
        } else {
            self.request.after = self.request.after.or(updates.first().map(|update| update.id));
        }
        self.phase = Phase::Waiting;
        Ok(updates)
    }
}
