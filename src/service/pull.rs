//! Pulls a page, and waits for a message if there is none.

use crate::config::Config;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Result};
use crate::domain::page::{Page, PageRequest, Span};
use crate::store::{self, Watch};
use std::time::{Duration, Instant};

/// Reads one page of a chat's messages. If the page is empty, waits as long as the request allows for a message. Fails with
/// [`Error::Gone`] if the request's epoch is not that of the chat log.
pub async fn pull(config: &Config, request: &PageRequest) -> Result<Page> {
    let (from, wait) = match request.span {
        Span::From { from, wait } => (from, wait),
        Span::Between { .. } | Span::Back { .. } => (0, Duration::ZERO),
    };
    let since = (!wait.is_zero()).then(Instant::now);
    let mut watch = Watch::default();
    loop {
        let slice = store::page(config, request).await?;
        let extent = slice.as_ref().map(|slice| slice.extent);
        let page = slice.map_or_else(Page::default, |slice| Page::new(request.span, slice));
        // A request without an epoch takes whichever log there is.
        if request.epoch.is_some() && request.epoch != page.epoch {
            return Err(Error::Gone {
                epoch: page.epoch.map_or(0, Epoch::get),
            });
        }
        let left = since.map_or(Duration::ZERO, |since| wait.saturating_sub(since.elapsed()));
        if !page.messages.is_empty() || left.is_zero() {
            return Ok(page);
        }
        watch.wait(config, &request.chat, extent, from, left).await?;
    }
}
