//! Sends a message.

use crate::domain::caller::Caller;
use crate::domain::error::Result;
use crate::domain::message::{DraftFields, Receipt};
use crate::service::rights;
use crate::store::{self, Session};

/// Appends the caller's message to its chat, after all earlier ones, and returns when Redis has it. With an idempotency key, a
/// second call returns the first one's receipt and appends nothing.
pub async fn send(session: &Session, caller: Option<&Caller>, fields: DraftFields) -> Result<Receipt> {
    store::append(session, &rights::draft(caller, fields)?).await
}
