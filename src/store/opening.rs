//! Single flight: of the requests of an instance that need a connection at once, one opens it and the others wait.
//!
//! A Rust waker cannot do this: requests are tasks of the component model, and wit-bindgen 0.57 wakes one task from another only
//! by an operation that Wasmtime traps. The end of a component-model stream is an event that the host itself delivers.

use spin_sdk::wasip3::wit_stream;
use spin_sdk::wit_bindgen::{StreamReader, StreamWriter};
use std::cell::RefCell;

thread_local! {
    /// `Some` while one request is opening the connection: the requests waiting for it.
    static WAITING: RefCell<Option<Vec<StreamWriter<u8>>>> = const { RefCell::new(None) };
}

/// What a request does about the connection.
pub(super) enum Role {
    /// It opens the connection, and drops the guard when it has done so or has failed.
    Opener(OpenerGuard),
    /// It waits for the request that opens the connection.
    Waiter(Waiter),
}

/// Makes this request the opener, if there is none.
pub(super) fn join() -> Role {
    WAITING.with_borrow_mut(|waiting| {
        let Some(writers) = waiting else {
            *waiting = Some(Vec::new());
            return Role::Opener(OpenerGuard);
        };
        let (writer, reader) = wit_stream::new();
        writers.push(writer);
        Role::Waiter(Waiter(reader))
    })
}

/// Its end, even at the request's deadline, wakes all waiters.
pub(super) struct OpenerGuard;

impl Drop for OpenerGuard {
    fn drop(&mut self) {
        WAITING.take();
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
