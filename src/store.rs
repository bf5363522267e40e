//! What is kept in Redis: the keys, and a file with its script for each thing done. It knows no node and no connection.

mod append;
mod appended;
mod charge;
mod chat_watch;
mod clocks;
mod delete;
mod delete_chat;
mod feed;
mod heads;
mod inbox;
mod keys;
mod lease;
mod locate;
mod mark;
mod notice;
mod page;
mod receipt;
mod reply;
mod settings;
mod touch;

pub use append::append;
pub use chat_watch::ChatWatch;
pub use delete::delete;
pub use delete_chat::delete_chat;
pub use feed::{Feed, FeedWatch, read_feed};
pub use heads::{Head, heads};
pub use inbox::{places, places_after, remove};
pub use lease::{Lease, Leased};
pub use locate::{Located, locate};
pub use mark::mark;
pub use page::{page, page_after};
pub use settings::set;
