//! Whether confab can serve requests.

use crate::config::Config;
use crate::domain::error::Result;
use crate::store;

/// Returns if Redis answers within `redis_timeout_ms` and is 7.0 or later.
pub async fn ready(config: &Config) -> Result<()> {
    store::ready(config).await
}
