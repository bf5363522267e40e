//! Waiting for a condition, and the seed of what tests draw at random.

use std::panic::Location;
use std::time::{Duration, Instant};

/// The longest that a test waits for a condition.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Waits until the condition is true. Fails after 20 s, and says where and for what it waited.
#[track_caller]
pub fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let end = Instant::now() + TIMEOUT;
        while !condition().await {
            assert!(
                Instant::now() < end,
                "{caller}: timed out after {TIMEOUT:?} waiting until {what}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The seed of a test's random choices: the variable `CONFAB_SEED`, or another one for each run.
pub fn seed() -> u64 {
    let seed = std::env::var("CONFAB_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("seed: CONFAB_SEED={seed}");
    seed
}
