//! What confab does, once for both transports: send, pull and follow.

mod deliver;
mod follow;
mod pull;
mod ready;
mod send;

pub use deliver::deliver;
pub use follow::Follower;
pub use pull::pull;
pub use ready::ready;
pub use send::send;
