//! Send and pull, once, for both doors.

use crate::connection::OwnConnection;
use crate::error::{Error, Result};
use crate::message::{Draft, Receipt};
use crate::page::{Page, PageRequest};
use crate::store;
use std::time::{Duration, Instant};

/// Appends a message to its chat, after all that are there, and answers once Redis has it. With a key, a second time answers
/// as the first did, and appends nothing.
pub async fn send(draft: &Draft) -> Result<Receipt> {
    store::append(draft).await
}

/// Reads one page of a chat's messages. Where it would be empty, it waits for a message as long as the request has it. Where the
/// request's epoch is not that of the chat's log, it is [`Error::Gone`].
pub async fn pull(request: &PageRequest) -> Result<Page> {
    let waits = !request.wait.is_zero() && request.can_grow();
    let since = waits.then(Instant::now);
    let mut connection = OwnConnection::default();
    loop {
        let found = store::read(request).await?;
        let extent = found.as_ref().map(|(extent, _)| *extent);
        let page = found.map_or_else(Page::default, |(extent, messages)| Page::new(request, extent, messages));
        // 0 is what a chat without messages is answered with, and a cursor of 0 is in any log.
        if request.epoch.is_some_and(|epoch| epoch != 0 && epoch != page.epoch) {
            return Err(Error::Gone { epoch: page.epoch });
        }
        let left = since.map_or(Duration::ZERO, |since| request.wait.saturating_sub(since.elapsed()));
        if !page.messages.is_empty() || left.is_zero() {
            return Ok(page);
        }
        store::await_message(&mut connection, request.chat.room(), extent, request.cursor, left).await?;
    }
}
