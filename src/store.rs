//! The only folder that speaks Redis: a file, with its script, for each thing done there.

mod append;
mod connection;
mod keys;
mod opening;
mod read;
mod reply;
mod script;
mod watch;

pub use append::append;
pub use read::{extent, page, read_from};
pub use watch::Watch;
