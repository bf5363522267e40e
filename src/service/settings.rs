//! Sets what a caller wants of a chat.

use crate::domain::caller::Caller;
use crate::domain::chat_settings::{Settings, SettingsFields};
use crate::domain::error::Result;
use crate::service::rights;
use crate::session::Session;
use crate::store;

/// Blocks or mutes the caller's own side of a chat, or opens the chat for persons, and returns what is set then. With `redis_replicas`,
/// as many replicas have it then. Fails with [`Error::NoMessages`](crate::domain::error::Error::NoMessages), and sets nothing, if
/// only a side is to be set and the chat has no messages.
pub async fn set(session: &Session, caller: &Caller, fields: &SettingsFields) -> Result<Settings> {
    store::set(session, &rights::settings_request(caller, fields)?).await
}
