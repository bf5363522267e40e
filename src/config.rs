//! The component's Spin variables, read once an instance.

use crate::error::{Error, Result};
use spin_sdk::variables;
use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

/// The settings of this deployment; `spin.toml` has their defaults.
pub struct Config {
    /// Where Redis is, with its credentials: never to be printed.
    pub redis_url: String,
    /// How long a request may wait for Redis, 1 ms or longer.
    pub redis_timeout: Duration,
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
        redis_timeout: milliseconds("redis_timeout_ms", &variable("redis_timeout_ms").await?)?,
    });
    // Another request of this instance may have been first: they read the same values.
    Ok(CONFIG.with(|cell| cell.get_or_init(|| config).clone()))
}

async fn variable(name: &str) -> Result<String> {
    variables::get(name)
        .await
        .map_err(|why| Error::Internal(format!("the variable {name} could not be read: {why}")))
}

fn milliseconds(name: &str, value: &str) -> Result<Duration> {
    match value.parse() {
        Ok(milliseconds) if milliseconds > 0 => Ok(Duration::from_millis(milliseconds)),
        _ => Err(Error::Internal(format!(
            "the variable {name} must be a whole number of milliseconds, 1 or more"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_positive_whole_number() {
        assert_eq!(milliseconds("t", "2000"), Ok(Duration::from_secs(2)));
        for value in ["", "0", "-1", "1.5", "2s", "99999999999999999999"] {
            assert!(milliseconds("t", value).is_err(), "{value:?}");
        }
    }
}
