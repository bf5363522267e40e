//! Single flight: of the requests of an instance that need the same at once, one gets it and the others wait.
//!
//! A Rust waker cannot do this: requests are tasks of the component model, and wit-bindgen 0.57 wakes one task from another only
//! by an operation that Wasmtime traps. The end of a component-model stream is an event that the host itself delivers.

use spin_sdk::wasip3::wit_stream;
use spin_sdk::wit_bindgen::{StreamReader, StreamWriter};
use std::cell::RefCell;

/// One thing that requests get once for all of them. Whoever owns that thing owns its flight.
#[derive(Default)]
pub(super) struct Flight {
    /// The requests that wait for the one that is getting it; `None` if none is.
    waiting: RefCell<Option<Vec<StreamWriter<u8>>>>,
}

/// What a request does about it.
pub(super) enum Role<'a> {
    /// It gets the thing, and drops the guard when it has done so or has failed.
    Leader(Guard<'a>),
    /// It waits for the request that gets it.
    Waiter(Waiter),
}

impl Flight {
    /// Makes this request the leader, if there is none.
    pub(super) fn join(&self) -> Role<'_> {
        let mut waiting = self.waiting.borrow_mut();
        let Some(writers) = waiting.as_mut() else {
            *waiting = Some(Vec::new());
            return Role::Leader(Guard(self));
        };
        let (writer, reader) = wit_stream::new();
        writers.push(writer);
        Role::Waiter(Waiter(reader))
    }
}

/// Its end, even at the request's deadline, wakes all waiters.
pub(super) struct Guard<'a>(&'a Flight);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let waiters = self.0.waiting.take();
        // Not while the cell is borrowed.
        drop(waiters);
    }
}

/// A request that waits for the leader.
pub(super) struct Waiter(StreamReader<u8>);

impl Waiter {
    /// Returns when the leader has ended, whether it succeeded or not.
    pub(super) async fn landed(mut self) {
        // The stream ends without a value.
        self.0.next().await;
    }
}
