//! A request to delete a message, or a chat.

use crate::domain::chat::Chat;
use crate::domain::entry_id::{EntryId, Epoch, MOST};
use crate::domain::error::{Error, Field, Result};
use crate::domain::member::Member;

/// What a client sends to delete a message, each value as it came.
#[derive(Debug, Default)]
pub struct DeletionFields {
    /// The chat's two names.
    pub chat: Option<String>,
    /// The chat log that the message is in.
    pub epoch: Option<u64>,
    /// The message's place; `None` for the whole chat.
    pub index: Option<u64>,
    /// When it was sent.
    pub send_time: Option<u64>,
}

/// What is to be deleted.
#[derive(Debug, PartialEq)]
pub enum Deletion {
    /// One message.
    Message(MessageDeletion),
    /// A chat, for both of its members.
    Chat {
        /// The chat.
        chat: Chat,
        /// Its log.
        epoch: Epoch,
    },
}

/// A message that is to be deleted: epoch, index and time together name one for ever.
#[derive(Debug, PartialEq)]
pub struct MessageDeletion {
    /// The chat.
    pub chat: Chat,
    /// The message.
    pub id: EntryId,
    /// When it was sent.
    pub send_time: u64,
    /// Who deletes it, and must be its sender; `None` for the app's own service, which deletes any.
    pub by: Option<Member>,
}

impl Deletion {
    /// Parses a request of `by`, a member of the chat. Without an index and a time, it means the chat, which only the service deletes.
    pub fn parse(chat: Chat, by: Option<Member>, fields: &DeletionFields) -> Result<Self> {
        let required = |value: Option<u64>, field| {
            let value = value.ok_or_else(|| Error::invalid(field, "is required"))?;
            if value > MOST {
                return Err(Error::invalid(field, "must be one from an earlier answer, as it came"));
            }
            Ok(value)
        };
        let epoch = required(fields.epoch, Field::Epoch)?;
        let epoch = Epoch::new(epoch).ok_or_else(|| Error::invalid(Field::Epoch, "must not be 0"))?;
        if by.is_none() && fields.index.is_none() && fields.send_time.is_none() {
            return Ok(Self::Chat { chat, epoch });
        }
        let index = required(fields.index, Field::Index)?;
        let send_time = required(fields.send_time, Field::SendTime)?;
        let id = EntryId { epoch, index };
        Ok(Self::Message(MessageDeletion {
            chat,
            id,
            send_time,
            by,
        }))
    }
}
