//! Sends a message.

use crate::domain::caller::Caller;
use crate::domain::error::Result;
use crate::domain::message::{DraftFields, Sent};
use crate::service::rights;
use crate::session::Session;
use crate::store;

/// Appends the caller's message to its chat, after all earlier ones, and returns when Redis has it. With an idempotency key, a
/// second call returns the first one's answer and appends nothing.
pub async fn send(session: &Session, caller: &Caller, fields: DraftFields) -> Result<Sent> {
    store::append(session, &rights::draft(caller, fields)?).await
}
