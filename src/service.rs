//! What confab does, once, for both doors.

use crate::error::{Error, Result};
use crate::message::{Draft, Receipt};
use crate::page::{Page, PageRequest};
use crate::store;

/// Appends a message to its chat, after all that are there, and answers once Redis has it. With a key, a second time answers
/// as the first did, and appends nothing.
pub async fn send(draft: &Draft) -> Result<Receipt> {
    store::append(draft).await
}

/// Reads one page of a chat's messages. Where the request's epoch is not that of the chat's log, it is [`Error::Gone`].
pub async fn pull(request: &PageRequest) -> Result<Page> {
    let page = match store::read(request).await? {
        Some((extent, messages)) => Page::new(request, extent, messages),
        None => Page::default(),
    };
    match request.epoch {
        // 0 is what a chat without messages is answered with, and a cursor of 0 is in any log.
        Some(epoch) if epoch != 0 && epoch != page.epoch => Err(Error::Gone { epoch: page.epoch }),
        _ => Ok(page),
    }
}
