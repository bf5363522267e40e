//! Deletes a message, or a chat.

use crate::domain::caller::Caller;
use crate::domain::deletion::{Deletion, DeletionFields};
use crate::domain::error::Result;
use crate::service::rights;
use crate::session::Session;
use crate::store;

/// Deletes a message of the caller's own, or for a service or a component any message or a whole chat. No page has it any more, and
/// followers receive a notice, or a reset. With `redis_replicas`, as many replicas have it then.
pub async fn delete(session: &Session, caller: &Caller, fields: &DeletionFields) -> Result<()> {
    match rights::deletion(caller, fields)? {
        Deletion::Message(deletion) => store::delete(session, &deletion).await,
        Deletion::Chat { chat, epoch } => store::delete_chat(session, &chat, epoch).await,
    }
}
