//! The only folder that speaks Redis: a file, with its script, for each thing done there.

mod append;
mod attempt;
mod cluster;
mod connection;
mod feed;
mod heads;
mod inbox;
mod keys;
mod locate;
mod mark;
mod node;
mod opening;
mod own;
mod packed;
mod read;
mod ready;
mod receipt;
mod redirect;
mod refusal;
mod reply;
mod room;
mod script;
mod session;
mod slot;
mod touch;
mod watch;

pub use append::append;
pub use feed::{Feed, FeedWatch, look};
pub use heads::{Heads, heads};
pub use inbox::places;
pub use locate::{Located, locate};
pub use mark::mark;
pub use read::{page, read_after};
pub use ready::ready;
pub use session::Session;
pub use watch::Watch;
