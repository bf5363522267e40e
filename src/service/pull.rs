//! Pulls a page, and waits for a message if there is none.

use crate::config::Config;
use crate::domain::entry_id::EntryId;
use crate::domain::error::{Error, Result};
use crate::domain::page::{Page, PageRequest, Span};
use crate::domain::slice::{Found, Slice};
use crate::store::{self, Watch};
use std::time::{Duration, Instant};

/// Reads one page of a chat's messages. If the page is empty, waits as long as the request allows for a message. Fails with
/// [`Error::Gone`] if the chat log does not confirm the request's epoch or position.
pub async fn pull(config: &Config, request: &PageRequest) -> Result<Page> {
    let (from, wait) = match request.span {
        Span::From { from, wait } => (from, wait),
        Span::Between { .. } | Span::Back { .. } => (0, Duration::ZERO),
    };
    let since = (!wait.is_zero()).then(Instant::now);
    let mut watch = Watch::default();
    loop {
        let slice = match store::page(config, request).await? {
            Found::Slice(slice) => slice,
            Found::Reset(reset) => {
                return Err(Error::Gone {
                    epoch: reset.epoch,
                    index: reset.index,
                });
            }
        };
        let after = slice.as_ref().map(|slice| last_not_asked_for(slice, from));
        let page = Page::new(request.span, request.basis, slice);
        let left = since.map_or(Duration::ZERO, |since| wait.saturating_sub(since.elapsed()));
        if !page.messages.is_empty() || left.is_zero() {
            return Ok(page);
        }
        watch.wait(config, &request.chat, after, left).await?;
    }
}

/// The entry after which a message that the request asks for can come: the newest, or the one before the request's cursor.
fn last_not_asked_for(slice: &Slice, from: u64) -> EntryId {
    EntryId {
        epoch: slice.extent.epoch,
        index: slice.extent.newest.max(from.saturating_sub(1)),
    }
}
