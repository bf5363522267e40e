//! The component's Spin variables, read once an instance.

use crate::error::{Error, Result};
use spin_sdk::variables;
use std::cell::OnceCell;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

/// The longest that a request may wait for Redis.
pub const MAX_REDIS_TIMEOUT_MS: u64 = 20_000;

/// The longest that an idempotency key may be remembered: a year.
pub const MAX_WINDOW_S: u64 = 366 * 24 * 60 * 60;

/// The most that the number of messages kept of a chat may be limited to.
pub const MAX_MESSAGES: u64 = 1_000_000_000_000;

/// The longest that a stream may be silent.
pub const MAX_HEARTBEAT_S: u64 = 3600;

/// The longest that a stream may last: a day.
pub const MAX_LIFETIME_S: u64 = 24 * 60 * 60;

/// The settings of this deployment; `spin.toml` has their defaults.
pub struct Config {
    /// Where Redis is, with its credentials: never to be printed.
    pub redis_url: String,
    /// How long a request may wait for Redis, 1 to [`MAX_REDIS_TIMEOUT_MS`].
    pub redis_timeout: Duration,
    /// How long a client's idempotency key is remembered, 1 s or longer.
    pub idempotency_window: Duration,
    /// How many messages a chat keeps, the newest; none for all.
    pub max_messages: Option<NonZeroU64>,
    /// After how long a silent stream says that it is there, and how long it waits for a client that does not read.
    pub stream_heartbeat: Duration,
    /// After how long a stream ends itself, so that its host can replace the instance.
    pub stream_lifetime: Duration,
}

thread_local! {
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

/// This instance's settings. A variable that is missing or malformed is an [`Error::Internal`] that names it.
pub async fn get() -> Result<Rc<Config>> {
    if let Some(config) = CONFIG.with(|cell| cell.get().cloned()) {
        return Ok(config);
    }
    let config = Rc::new(Config {
        redis_url: variable("redis_url").await?,
        redis_timeout: Duration::from_millis(number("redis_timeout_ms", 1..=MAX_REDIS_TIMEOUT_MS).await?),
        idempotency_window: Duration::from_secs(number("idempotency_window_s", 1..=MAX_WINDOW_S).await?),
        max_messages: NonZeroU64::new(number("max_messages_per_chat", 0..=MAX_MESSAGES).await?),
        stream_heartbeat: Duration::from_secs(number("stream_heartbeat_s", 1..=MAX_HEARTBEAT_S).await?),
        stream_lifetime: Duration::from_secs(number("stream_lifetime_s", 1..=MAX_LIFETIME_S).await?),
    });
    // Another request of this instance may have been first: they read the same values.
    Ok(CONFIG.with(|cell| cell.get_or_init(|| config).clone()))
}

async fn variable(name: &str) -> Result<String> {
    variables::get(name)
        .await
        .map_err(|why| Error::Internal(format!("the variable {name} could not be read: {why}")))
}

async fn number(name: &str, bounds: RangeInclusive<u64>) -> Result<u64> {
    within(name, &variable(name).await?, bounds)
}

fn within(name: &str, value: &str, bounds: RangeInclusive<u64>) -> Result<u64> {
    let number = value.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| {
        let (least, most) = bounds.into_inner();
        Error::Internal(format!(
            "the variable {name} must be a whole number from {least} to {most}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_and_within_its_bounds() {
        assert_eq!(within("n", "1", 1..=2000), Ok(1));
        assert_eq!(within("n", "2000", 1..=2000), Ok(2000));
        for value in ["", "0", "-1", "1.5", "2s", "2001", "99999999999999999999"] {
            let error = within("n", value, 1..=2000).unwrap_err();
            assert!(
                error.to_string().contains("n must be a whole number from 1 to 2000"),
                "{value:?}"
            );
        }
    }
}
