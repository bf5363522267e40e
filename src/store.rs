//! The only folder that speaks Redis: a file, with its script, for each thing done there.

mod append;
mod attempt;
mod connection;
mod keys;
mod locate;
mod opening;
mod read;
mod ready;
mod receipt;
mod refusal;
mod reply;
mod room;
mod script;
mod watch;

pub use append::append;
pub use locate::{Located, locate};
pub use read::{page, read_after};
pub use ready::ready;
pub use watch::Watch;
