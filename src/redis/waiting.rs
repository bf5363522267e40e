//! Waits until a Redis stream grows, on a connection of the waiter's own if Redis has room for it.

mod own;
mod room;
mod watch;

pub use watch::Watch;
