//! Pulls a page, and waits for a message if there is none.

use crate::domain::caller::Caller;
use crate::domain::entry_id::EntryId;
use crate::domain::error::{Error, Result};
use crate::domain::page::{MAX_PAGE_JSON, Page, PageRequest, Span};
use crate::domain::slice::{Found, Slice};
use crate::service::lease::lease;
use crate::service::rights;
use crate::service::term::known_for;
use crate::session::Session;
use crate::store::{self, ChatWatch, Lease};
use futures::future::join;
use std::time::{Duration, Instant};

/// How much later than Redis's own clock, which ends a wait, the component's does.
const GRACE: Duration = Duration::from_millis(50);

/// Reads one page of a chat's messages. If the page is empty, waits for a message: as long as the request asks, but no longer than
/// leaves `redis_timeout_ms` of the session, and no longer than the caller's token is good. If Redis stops answering meanwhile,
/// returns the empty page all the same.
///
/// Fails with [`Error::Forbidden`] if the caller may not read the chat; with [`Error::TooManyStreams`] if it would have to wait, and the
/// caller has as many streams and waiting pulls as are allowed; and with [`Error::Gone`] if the chat log does not confirm the
/// request's epoch or position.
pub async fn pull(session: &Session, caller: &Caller, request: &PageRequest) -> Result<Page> {
    rights::may_read(caller, &request.chat)?;
    let (from, wait) = match request.span {
        Span::From { from, wait } => (from, wait),
        Span::Between { .. } | Span::Back { .. } => (0, Duration::ZERO),
    };
    let wait = wait.min(session.left().saturating_sub(session.config().redis_timeout));
    let wait = known_for(caller).map_or(wait, |known| wait.min(known));
    let since = (!wait.is_zero()).then(Instant::now);
    let left = || since.map_or(Duration::ZERO, |since| wait.saturating_sub(since.elapsed()));
    let mut waiting = None;
    let mut watch = ChatWatch::default();
    let mut held: Option<Lease> = None;
    loop {
        let page = store::page(session, request);
        // Before the answer, so that the client's next pull has room.
        let (found, ()) = join(page, Lease::give_back(held.take(), session)).await;
        let slice = match found? {
            Found::Slice(slice) => slice.map(|slice| slice.within(MAX_PAGE_JSON, request.named)),
            Found::Reset(reset) => {
                return Err(Error::Gone {
                    epoch: reset.epoch,
                    index: reset.index,
                });
            }
        };
        let after = slice.as_ref().map(|slice| last_not_asked_for(slice, from));
        let page = Page::new(request.span, request.basis, slice);
        if !page.messages.is_empty() || !page.deleted.is_empty() || left().is_zero() {
            return Ok(page);
        }
        match lease(session, caller).await {
            // It has waited, for nothing so far.
            Err(Error::TooManyStreams { .. }) if waiting.is_some() => return Ok(page),
            taken => held = taken?,
        }
        let left = left();
        let waiting = &*waiting.get_or_insert_with(|| session.part(left.saturating_add(GRACE)));
        let wake = watch.wait(waiting, &request.chat, after, left);
        match Lease::during(held.as_ref(), session, wake).await {
            Err(Error::Unavailable { .. }) if waiting.left().is_zero() => return Ok(page),
            woken => woken?,
        }
    }
}

/// The entry after which a message that the request asks for can come: the newest, or the one before the request's cursor.
fn last_not_asked_for(slice: &Slice, from: u64) -> EntryId {
    EntryId {
        epoch: slice.extent.epoch,
        index: slice.extent.newest.max(from.saturating_sub(1)),
    }
}
