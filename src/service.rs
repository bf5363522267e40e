//! What confab does, once for both transports: send, pull, follow, the inbox and its marks.

mod deliver;
mod follow;
mod follow_inbox;
mod inbox;
mod lease;
mod look;
mod pull;
mod read;
mod ready;
mod rights;
mod send;
mod term;

pub use deliver::deliver;
pub use follow::Follower;
pub use follow_inbox::InboxFollower;
pub use inbox::inbox;
pub use lease::lease;
pub use pull::pull;
pub use read::read;
pub use ready::ready;
pub use rights::{draft, inbox_reader, mark, may_read, reader};
pub use send::send;

pub use crate::store::{Lease, Session};
