//! Marks what a person has read.

use crate::domain::caller::Caller;
use crate::domain::error::Result;
use crate::domain::mark::{Mark, MarkFields};
use crate::service::rights;
use crate::session::Session;
use crate::store;

/// Moves a person's mark in a chat up to where they have read, and returns the mark as it is stored: it only rises. Fails with
/// [`Error::Gone`](crate::domain::error::Error::Gone), and moves nothing, if the chat log does not confirm the position.
pub async fn mark(session: &Session, caller: &Caller, fields: MarkFields) -> Result<Mark> {
    store::mark(session, &rights::mark_request(caller, &fields)?).await
}
