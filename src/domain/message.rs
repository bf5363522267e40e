//! A message before it is stored, and after.

use crate::domain::chat::Chat;
use crate::domain::data::Data;
use crate::domain::error::{Error, Field, Result};
use crate::domain::idempotency_key::IdempotencyKey;
use crate::domain::member::Member;
use crate::domain::quota::Allowance;
use std::borrow::Cow;

/// The most bytes (of UTF-8) of a text.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// What a client sends to send a message, each value as it came.
#[derive(Debug)]
pub struct DraftFields {
    /// The chat's two names.
    pub chat: String,
    /// What is said.
    pub text: String,
    /// What the message has besides its text.
    pub data: Option<Data>,
    /// Who says it; `None` for the caller.
    pub sender: Option<String>,
    /// The client's own name for this message.
    pub key: Option<IdempotencyKey>,
}

/// Who has a message sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The sender, who is proven, and has a quota.
    Sender,
    /// An app's own backend, in the sender's name. The sender has not seen the chat: the mark stays where it is.
    Service,
    /// Anybody, as the deployment is open, or a component that is trusted.
    Unproven,
}

/// A message that may be stored: its chat is well formed, its text within bounds and not empty unless it has data, its
/// sender in the chat.
#[derive(Debug, PartialEq)]
pub struct Draft {
    chat: Chat,
    text: String,
    data: Option<Data>,
    member: Member,
    sender: String,
    key: Option<IdempotencyKey>,
    author: Author,
}

impl Draft {
    /// Parses a message of an unproven author: `text` of at most [`MAX_TEXT_BYTES`] bytes, of 1 at least if there is no `data`,
    /// `sender` one of the chat's two names in any
    /// spelling.
    pub fn parse(
        chat: Chat,
        text: String,
        data: Option<Data>,
        sender: String,
        key: Option<IdempotencyKey>,
    ) -> Result<Self> {
        if sender.is_empty() {
            return Err(Error::invalid(Field::Sender, "must not be empty"));
        }
        let Some(member) = chat.member(&sender).cloned() else {
            return Err(Error::invalid(Field::Sender, "must be one of the chat's two names"));
        };
        if text.is_empty() && data.is_none() {
            return Err(Error::invalid(Field::Text, "must not be empty"));
        }
        if text.len() > MAX_TEXT_BYTES {
            return Err(Error::TooLarge {
                field: Some(Field::Text),
                limit: MAX_TEXT_BYTES,
            });
        }
        Ok(Self {
            chat,
            text,
            data,
            member,
            sender,
            key,
            author: Author::Unproven,
        })
    }

    /// This message, sent by this author.
    #[must_use]
    pub fn by(self, author: Author) -> Self {
        Self { author, ..self }
    }

    /// Who has it sent.
    pub fn author(&self) -> Author {
        self.author
    }

    /// The chat to store it in.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// What is said.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the message has besides its text.
    pub fn data(&self) -> Option<&Data> {
        self.data.as_ref()
    }

    /// Who says it, as the client wrote it.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// Who says it, as a member of the chat.
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// The client's own name for this message.
    pub fn key(&self) -> Option<&IdempotencyKey> {
        self.key.as_ref()
    }
}

/// The answer to a send: where and when the message was stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sent {
    /// Its place in the chat, from 0, with no gaps.
    pub index: u64,
    /// Redis's time in microseconds since the Unix epoch, greater than that of every earlier message of the chat.
    pub send_time: u64,
    /// Whether an earlier request with the same key stored it.
    pub replayed: bool,
    /// What the sender may send now; `None` if there is no limit.
    pub allowance: Option<Allowance>,
}

/// A stored message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its place in the chat, from 0.
    pub index: u64,
    /// Who said it, as it was sent.
    pub sender: String,
    /// What was said.
    pub text: String,
    /// What it has besides.
    pub data: Option<Data>,
    /// When it was stored, in microseconds since the Unix epoch.
    pub send_time: u64,
}

impl Message {
    /// The sender's name in the one form; as it is stored if it is no name any more.
    pub fn member(&self) -> Cow<'_, str> {
        match Member::parse(&self.sender) {
            Ok(member) if member.as_str() != self.sender => member.as_str().to_owned().into(),
            Ok(_) | Err(_) => Cow::from(&self.sender),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(chat: &str, text: &str, sender: &str) -> Result<Draft> {
        Draft::parse(Chat::parse(chat)?, text.to_owned(), None, sender.to_owned(), None)
    }

    #[test]
    fn a_draft_keeps_what_was_written() {
        let longest = "é".repeat(MAX_TEXT_BYTES / 2);
        for text in ["hi", " ", "\0", "a\nb", &longest] {
            let draft = parse("Alice:bob", text, "aLICE").unwrap();
            assert_eq!((draft.text(), draft.sender()), (text, "aLICE"));
            assert_eq!(draft.member().as_str(), "alice");
        }
    }

    #[test]
    fn a_draft_names_the_field_at_fault() {
        for (chat, text, sender, field) in [
            ("ab", "", "", Field::Chat),
            ("a:b", "hi", "", Field::Sender),
            ("a:b", "hi", "c", Field::Sender),
            ("a:b", "hi", "a:b", Field::Sender),
            ("a:b", "", "a", Field::Text),
        ] {
            let error = parse(chat, text, sender).unwrap_err();
            assert!(
                matches!(&error, Error::Invalid { field: Some(got), .. } if *got == field),
                "{chat:?} {text:?} {sender:?}: {error:?}"
            );
        }
    }

    #[test]
    fn a_message_knows_its_sender_in_the_one_form() {
        for (sender, member) in [("Οδυσσεύς", "οδυσσεύσ"), ("bob", "bob"), ("no:name", "no:name")] {
            let message = Message {
                index: 0,
                sender: sender.to_owned(),
                text: String::new(),
                data: None,
                send_time: 1,
            };
            assert_eq!(message.member(), member);
        }
    }

    #[test]
    fn a_text_over_the_limit_is_too_large() {
        let error = parse("a:b", &"x".repeat(MAX_TEXT_BYTES + 1), "a").unwrap_err();
        assert_eq!(
            error,
            Error::TooLarge {
                field: Some(Field::Text),
                limit: MAX_TEXT_BYTES
            }
        );
    }
}
