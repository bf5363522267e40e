//! Whether confab can serve requests.

use crate::domain::error::Result;
use crate::redis;
use crate::session::Session;

/// Returns if Redis answers within `redis_timeout_ms`, is 7.0 or later, and serves all slots if it is a Cluster.
pub async fn ready(session: &Session) -> Result<()> {
    redis::ready(session).await
}
