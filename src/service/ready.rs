//! Whether confab can serve requests.

use crate::domain::error::Result;
use crate::store::{self, Session};

/// Returns if Redis answers within `redis_timeout_ms` and is 7.0 or later.
pub async fn ready(session: &Session) -> Result<()> {
    store::ready(session).await
}
