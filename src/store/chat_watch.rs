//! Waits until a chat log grows.

use crate::domain::chat::Chat;
use crate::domain::entry_id::EntryId;
use crate::domain::error::Result;
use crate::redis::Watch;
use crate::session::Session;
use crate::store::keys;
use std::time::Duration;

/// A watch on a chat log. It holds a Redis connection of its own from its first wait on, if Redis has room for it.
#[derive(Default)]
pub struct ChatWatch(Watch);

impl ChatWatch {
    /// Waits, at most for `timeout`, until the chat log has an entry after this one (`None`: any). It may return early: the caller reads
    /// again.
    pub async fn wait(
        &mut self,
        session: &Session,
        chat: &Chat,
        after: Option<EntryId>,
        timeout: Duration,
    ) -> Result<()> {
        self.0.wait(session, &keys::log(chat), after, timeout).await
    }
}
