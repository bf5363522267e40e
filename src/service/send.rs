//! Sends a message.

use crate::config::Config;
use crate::domain::error::Result;
use crate::domain::message::{Draft, Receipt};
use crate::store;

/// Appends a message to its chat, after all earlier ones, and returns when Redis has it. With an idempotency key, a second call
/// returns the first one's receipt and appends nothing.
pub async fn send(config: &Config, draft: &Draft) -> Result<Receipt> {
    store::append(config, draft).await
}
