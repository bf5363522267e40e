//! Waits until a chat log grows.

use crate::config::Config;
use crate::domain::chat::Chat;
use crate::domain::entry_id::EntryId;
use crate::domain::error::Result;
use crate::store::connection::BlockingConnection;
use crate::store::keys;
use std::time::Duration;

/// A watch on one chat log. It holds a Redis connection of its own from its first wait on.
#[derive(Default)]
pub struct Watch(BlockingConnection);

impl Watch {
    /// Waits, at most for `timeout`, until the log has an entry after this one (`None`: any). It may return early: the caller
    /// reads again.
    pub async fn wait(
        &mut self,
        config: &Config,
        chat: &Chat,
        after: Option<EntryId>,
        timeout: Duration,
    ) -> Result<()> {
        let log = keys::log(chat);
        // To XREAD BLOCK, 0 means for ever.
        let timeout = timeout.max(Duration::from_millis(1));
        let milliseconds = timeout.as_millis().to_string();
        let after = after.map_or("0-0".into(), |id| id.to_string());
        let arguments = ["BLOCK", &milliseconds, "COUNT", "1", "STREAMS", &log, &after].map(str::as_bytes);
        let redis_timeout = config.redis_timeout;
        self.0
            .run(&config.redis_url, timeout, redis_timeout, "XREAD", &arguments)
            .await?;
        Ok(())
    }
}
