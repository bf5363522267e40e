//! Writes to a stream that somebody else reads, or gives up if nobody does.

use futures::future::{Either, select};
use spin_sdk::time;
use spin_sdk::wit_bindgen::StreamWriter;
use std::pin::pin;
use std::time::Duration;

/// How much a reader must take within the timeout: messages, or bytes of them.
const ITEMS_AT_ONCE: usize = 16 * 1024;

/// Writes `items`. Returns false if the reader is gone, or takes none of [`ITEMS_AT_ONCE`] within `timeout`.
pub async fn deliver<T: 'static>(to: &mut StreamWriter<T>, items: Vec<T>, timeout: Duration) -> bool {
    let mut items = items.into_iter();
    loop {
        let some: Vec<_> = items.by_ref().take(ITEMS_AT_ONCE).collect();
        if some.is_empty() {
            return true;
        }
        match select(pin!(to.write_all(some)), pin!(time::sleep(timeout))).await {
            Either::Left((unwritten, _)) if unwritten.is_empty() => {}
            Either::Left(_) | Either::Right(_) => return false,
        }
    }
}
