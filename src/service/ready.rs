//! Whether confab can serve requests.

use crate::domain::error::Result;
use crate::redis;
use crate::session::Session;

/// Returns if Redis answers within `redis_timeout_ms` and is 7.0 or later.
pub async fn ready(session: &Session) -> Result<()> {
    redis::ready(session).await
}
