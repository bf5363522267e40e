//! Sends a message.

use crate::domain::error::Result;
use crate::domain::message::{Draft, Receipt};
use crate::store::{self, Session};

/// Appends a message to its chat, after all earlier ones, and returns when Redis has it. With an idempotency key, a second call
/// returns the first one's receipt and appends nothing.
pub async fn send(session: &Session, draft: &Draft) -> Result<Receipt> {
    store::append(session, draft).await
}
