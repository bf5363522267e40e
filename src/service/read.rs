//! Marks what a person has read.

use crate::config::Config;
use crate::domain::error::Result;
use crate::domain::mark::{Mark, MarkRequest};
use crate::store;

/// Moves a person's mark in a chat up to where they have read, and returns the mark as it is stored: it only rises. Fails with
/// [`Error::Gone`](crate::domain::error::Error::Gone), and moves nothing, if the chat log does not confirm the position.
pub async fn read(config: &Config, request: &MarkRequest) -> Result<Mark> {
    store::mark(config, request).await
}
