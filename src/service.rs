//! What confab does, once, for both doors.

use crate::error::Result;
use crate::message::{Draft, Receipt};
use crate::page::{Page, PageRequest};
use crate::store;

/// Appends a message to its chat, after all that are there, and answers once Redis has it.
pub async fn send(draft: &Draft) -> Result<Receipt> {
    store::append(draft).await
}

/// Reads one page of a chat's messages.
pub async fn pull(request: &PageRequest) -> Result<Page> {
    Ok(match store::read(request).await? {
        Some((extent, messages)) => Page::new(request, extent, messages),
        None => Page::empty(),
    })
}
