//! Writes to a stream that somebody else reads, or gives up if nobody does.

use futures::future::{Either, select};
use spin_sdk::time;
use spin_sdk::wit_bindgen::StreamWriter;
use std::pin::pin;
use std::time::{Duration, Instant};

/// How much a reader must take within the timeout: messages, or bytes of them.
const ITEMS_AT_ONCE: usize = 16 * 1024;

/// Writes `items`. Returns false if the reader is gone, takes none of `ITEMS_AT_ONCE` within `timeout`, or has not taken all by
/// `timeout` after the stream `ends`: a slow reader cannot hold it any longer.
pub async fn deliver<T: 'static>(to: &mut StreamWriter<T>, items: Vec<T>, timeout: Duration, ends: Instant) -> bool {
    let mut items = items.into_iter();
    let last = ends.checked_add(timeout).unwrap_or(ends);
    loop {
        let some: Vec<_> = items.by_ref().take(ITEMS_AT_ONCE).collect();
        if some.is_empty() {
            return true;
        }
        let late = time::sleep(timeout.min(last.saturating_duration_since(Instant::now())));
        match select(pin!(to.write_all(some)), pin!(late)).await {
            Either::Left((unwritten, _)) if unwritten.is_empty() => {}
            Either::Left(_) | Either::Right(_) => return false,
        }
    }
}
