//! Marks what a person has read.

use crate::domain::error::Result;
use crate::domain::mark::{Mark, MarkRequest};
use crate::store::{self, Session};

/// Moves a person's mark in a chat up to where they have read, and returns the mark as it is stored: it only rises. Fails with
/// [`Error::Gone`](crate::domain::error::Error::Gone), and moves nothing, if the chat log does not confirm the position.
pub async fn read(session: &Session, request: &MarkRequest) -> Result<Mark> {
    store::mark(session, request).await
}
