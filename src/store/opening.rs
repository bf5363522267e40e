//! Single flight: of the requests of an instance that need the same at once, one gets it and the others wait.
//!
//! A Rust waker cannot do this: requests are tasks of the component model, and wit-bindgen 0.57 wakes one task from another only
//! by an operation that Wasmtime traps. The end of a component-model stream is an event that the host itself delivers.

use spin_sdk::wasip3::wit_stream;
use spin_sdk::wit_bindgen::{StreamReader, StreamWriter};
use std::cell::RefCell;

thread_local! {
    /// What some request is getting, and the requests that wait for it.
    static WAITING: RefCell<Vec<(String, Vec<StreamWriter<u8>>)>> = const { RefCell::new(Vec::new()) };
}

/// What a request does about it.
pub(super) enum Role {
    /// It gets it, and drops the guard when it has done so or has failed.
    Opener(OpenerGuard),
    /// It waits for the request that gets it.
    Waiter(Waiter),
}

/// Makes this request the one that gets `goal`, if there is none.
pub(super) fn join(goal: &str) -> Role {
    WAITING.with_borrow_mut(|waiting| {
        let Some((_, writers)) = waiting.iter_mut().find(|(wanted, _)| *wanted == goal) else {
            waiting.push((goal.to_owned(), Vec::new()));
            return Role::Opener(OpenerGuard(goal.to_owned()));
        };
        let (writer, reader) = wit_stream::new();
        writers.push(writer);
        Role::Waiter(Waiter(reader))
    })
}

/// Its end, even at the request's deadline, wakes all waiters.
pub(super) struct OpenerGuard(String);

impl Drop for OpenerGuard {
    fn drop(&mut self) {
        let waiters = WAITING.with_borrow_mut(|waiting| {
            let place = waiting.iter().position(|(goal, _)| *goal == self.0)?;
            Some(waiting.swap_remove(place))
        });
        // Not while the table is borrowed.
        drop(waiters);
    }
}

/// A request that waits for the opener.
pub(super) struct Waiter(StreamReader<u8>);

impl Waiter {
    /// Returns when the opener has ended, whether it succeeded or not.
    pub(super) async fn opened(mut self) {
        // The stream ends without a value.
        self.0.next().await;
    }
}
