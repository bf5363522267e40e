//! A person's copy of their chats: what is asked for, and what there is of it.

use crate::domain::chat::Chat;
use crate::domain::chat_settings::Side;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field, Result};
use crate::domain::inbox::Entry;
use crate::domain::member::Member;

/// What a client sends to export chats, each value as it came.
#[derive(Debug, Default)]
pub struct ExportFields {
    /// Whose chats; `None` for the caller's.
    pub name: Option<String>,
    /// The one chat; `None` for all.
    pub chat: Option<String>,
    /// Whether only what the person has sent is asked for.
    pub own: Option<bool>,
}

/// A request to export chats.
#[derive(Debug, PartialEq)]
pub struct ExportRequest {
    /// Whose chats.
    pub person: Member,
    /// The one chat, which the person is in; `None` for all.
    pub chat: Option<Chat>,
    /// Whether the messages of others are left out.
    pub own: bool,
}

impl ExportRequest {
    /// Parses a request. The person must be in the chat.
    pub fn parse(person: Member, chat: Option<Chat>, own: bool) -> Result<Self> {
        if chat.as_ref().is_some_and(|chat| !chat.members().contains(&&person)) {
            return Err(Error::invalid(Field::Name, "must be one of the chat's two names"));
        }
        Ok(Self { person, chat, own })
    }
}

/// A chat as it was when the export began. A person may have many: it has no more than the export needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listed {
    /// Which chat log it was.
    pub epoch: Epoch,
    /// The index of its newest message: the last one of the export.
    pub newest: u64,
    /// How many messages it had, if nobody had removed one by hand.
    pub messages: u64,
    /// All messages with an index below it were read by the person.
    pub read: u64,
    /// What the person has set for the chat.
    pub side: Side,
}

impl From<&Entry> for Listed {
    fn from(entry: &Entry) -> Self {
        Self {
            epoch: entry.extent.epoch,
            newest: entry.extent.newest,
            messages: entry.extent.places(),
            read: entry.read.next_index(),
            side: entry.side,
        }
    }
}

/// What an export has, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Its chats.
    pub chats: u64,
    /// Its messages.
    pub messages: u64,
    /// The messages of its chats that were there when it began, and were removed before it came to them.
    pub removed: u64,
}
