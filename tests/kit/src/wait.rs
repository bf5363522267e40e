//! Waiting for a condition and for the end of an answer, and the seed of what tests draw at random.

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

/// The longest that the rest of an answer may take once its head is there.
const ANSWER: Duration = Duration::from_secs(10);

/// Waits for the end of an answer. Fails after 10 s: what has not ended by then is a stream, and the test did not want one.
#[track_caller]
pub fn to_its_end<T>(reading: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let read = tokio::time::timeout(ANSWER, reading).await;
        read.unwrap_or_else(|_| panic!("{caller}: the answer has not ended after {ANSWER:?}: is it a stream?"))
    }
}

/// The seed of a test's random choices: the variable `CONFAB_SEED`, or another one for each run.
pub fn seed() -> u64 {
    let seed = std::env::var("CONFAB_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("seed: CONFAB_SEED={seed}");
    seed
}
