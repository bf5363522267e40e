//! What the follower of an inbox receives.

use crate::domain::chat::Chat;
use crate::domain::entry_id::EntryId;
use crate::domain::inbox::{Entry, InboxPage};
use crate::domain::member::Member;

/// A request to follow an inbox.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowInboxRequest {
    /// Whose inbox.
    pub reader: Member,
    /// The most chats of a whole page.
    pub limit: u8,
    /// The id of the last update that the client has; `None` if it has none, or one that cannot be read.
    pub after: Option<EntryId>,
}

/// An update, and the id from which a client that has it continues.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxUpdate {
    /// The id: the nonce of the person's feed, and how many changes it had.
    pub id: EntryId,
    /// What has changed.
    pub change: Change,
}

/// What has changed in an inbox.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// All may have: the whole first page, in place of all that the client has.
    All(InboxPage),
    /// A chat has a new message, or a mark has moved in it: its entry.
    Chat(Box<Entry>),
    /// A chat has no messages any more.
    Gone(Chat),
}
