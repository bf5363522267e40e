//! What confab does, once for both transports: send, pull, follow, the inbox and its marks. Each use case takes who calls, and checks.

mod delete;
mod deliver;
mod export;
mod export_list;
mod follow_chat;
mod follow_inbox;
mod inbox;
mod lease;
mod mark;
mod pull;
mod ready;
mod rights;
mod send;
mod settings;
mod term;
mod updates;

pub use delete::delete;
pub use deliver::deliver;
pub use export::{Export, MayExport, Part};
pub use follow_chat::{ChatFollower, MayFollowChat};
pub use follow_inbox::{InboxFollower, MayFollowInbox};
pub use inbox::inbox;
pub use mark::mark;
pub use pull::pull;
pub use ready::ready;
#[cfg(test)]
pub(crate) use rights::{draft, inbox_request, mark_request};
pub use send::send;
pub use settings::set;

pub use crate::store::Lease;
