//! Reads a page of an inbox.

use crate::domain::caller::Caller;
use crate::domain::error::Result;
use crate::domain::inbox::{InboxFields, InboxPage, InboxRequest};
use crate::service::rights;
use crate::session::Session;
use crate::store::{self, Head};

/// How many more chats than a page has are looked at, so that one whose log is gone costs no round trip.
const SPARE: usize = 10;

/// The most chats without messages that a page removes from the inbox.
const MOST_REMOVED: usize = 100;

/// Reads a page of an inbox, newest chat first. Fails with [`Forbidden`](crate::domain::error::Error::Forbidden) if it is somebody
/// else's and the caller is no service, or if the caller is known in one chat only.
pub async fn inbox(session: &Session, caller: &Caller, fields: &InboxFields) -> Result<InboxPage> {
    read_page(session, &rights::inbox_request(caller, fields)?).await
}

/// Reads a page of a person's chats, newest first, in two round trips to Redis, or more if messages are long, within
/// `redis_timeout_ms`. A chat without messages is left out and the page filled up: only if more than `SPARE` are, it takes two more.
/// Such chats are removed from the inbox, up to `MOST_REMOVED` of them: their logs were removed, and another message puts them back.
///
/// The order is that of the inbox when it was read, and each chat's entry is as of a moment later.
pub(super) async fn read_page(session: &Session, request: &InboxRequest) -> Result<InboxPage> {
    let session = &session.part(session.config().redis_timeout);
    let limit = usize::from(request.limit);
    // One more shows whether there is another page.
    let wanted = limit.saturating_add(1);
    let mut before = request.before.clone();
    // Each with its place; a chat that cannot be read now keeps it.
    let mut found = Vec::new();
    let mut empty = Vec::new();
    let is_last = loop {
        let missing = wanted.saturating_sub(found.len());
        // Where some chats have no messages, many may have none.
        let spare = if empty.is_empty() { SPARE } else { MOST_REMOVED };
        let asked = missing.saturating_add(spare);
        let places = store::places(session, &request.reader, before.as_ref(), asked).await?;
        let chats: Vec<_> = places.iter().map(|place| &place.chat).collect();
        let heads = store::heads(session, &request.reader, &chats, missing).await?;
        let is_last = places.len() < asked && heads.len() == places.len();
        // It was asked for as long as there is time.
        let is_late = heads.contains(&Head::Away);
        for (place, head) in places.into_iter().zip(heads) {
            before = Some(place.clone());
            match head {
                Head::Entry(entry) => found.push((place, Some(*entry))),
                Head::Away => found.push((place, None)),
                Head::Empty => empty.push(place),
                Head::Unreadable => {}
            }
        }
        if is_last || is_late || found.len() >= wanted {
            break is_last;
        }
    };
    empty.truncate(MOST_REMOVED);
    if !empty.is_empty() {
        // If Redis refuses it, the page is as good, and the next one tries again.
        _ = store::remove(session, &request.reader, &empty).await;
    }
    let next = match found.get(limit.saturating_sub(1)) {
        Some((last, _)) if found.len() > limit => Some(last.clone()),
        _ => before.filter(|_| !is_last),
    };
    found.truncate(limit);
    let mut page = InboxPage {
        chats: Vec::new(),
        next,
        away: Vec::new(),
    };
    for (place, entry) in found {
        match entry {
            Some(entry) => page.chats.push(entry),
            None => page.away.push(place.chat),
        }
    }
    Ok(page)
}
