//! A message before it is stored, and after.

use crate::chat::{Chat, Room};
use crate::error::{Error, Result};

/// The most bytes (of UTF-8) of a text.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// A message that may be stored: its chat is well formed, its text within bounds, its sender in the chat.
#[derive(Debug, PartialEq)]
pub struct Draft {
    chat: Chat,
    text: String,
    sender: String,
}

impl Draft {
    /// Reads a message: `chat` as [`Chat::parse`] has it, `text` of 1 to [`MAX_TEXT_BYTES`] bytes, `sender` one of the chat's
    /// two names in any letter case.
    pub fn parse(chat: String, text: String, sender: String) -> Result<Self> {
        let chat = Chat::parse(chat)?;
        if sender.is_empty() {
            return Err(Error::field("sender", "must not be empty"));
        }
        if !chat.has_member(&sender) {
            return Err(Error::field("sender", "must be one of the chat's two names"));
        }
        if text.is_empty() {
            return Err(Error::field("text", "must not be empty"));
        }
        if text.len() > MAX_TEXT_BYTES {
            return Err(Error::TooLarge {
                what: "text",
                limit: MAX_TEXT_BYTES,
            });
        }
        Ok(Self { chat, text, sender })
    }

    /// The room to store it in.
    pub fn room(&self) -> &Room {
        self.chat.room()
    }

    /// What is said.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who says it, as the client wrote it.
    pub fn sender(&self) -> &str {
        &self.sender
    }
}

/// Where and when a message was stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Receipt {
    /// Its place in the chat, from 0, with no gaps.
    pub index: u64,
    /// Redis's time in microseconds since the Unix epoch, greater than that of every earlier message of the chat.
    pub send_time: u64,
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
    /// When it was stored, in microseconds since the Unix epoch.
    pub send_time: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(chat: &str, text: &str, sender: &str) -> Result<Draft> {
        Draft::parse(chat.to_owned(), text.to_owned(), sender.to_owned())
    }

    #[test]
    fn a_draft_keeps_what_was_written() {
        let longest = "é".repeat(MAX_TEXT_BYTES / 2);
        for text in ["hi", " ", "\0", "a\nb", &longest] {
            let draft = parse("Alice:bob", text, "aLICE").unwrap();
            assert_eq!((draft.text(), draft.sender()), (text, "aLICE"));
            assert_eq!(draft.room().members(), ["alice", "bob"]);
        }
    }

    #[test]
    fn a_draft_names_the_field_at_fault() {
        for (chat, text, sender, field) in [
            ("ab", "", "", "chat"),
            ("a:b", "hi", "", "sender"),
            ("a:b", "hi", "c", "sender"),
            ("a:b", "hi", "a:b", "sender"),
            ("a:b", "", "a", "text"),
        ] {
            let error = parse(chat, text, sender).unwrap_err();
            assert!(
                matches!(&error, Error::Invalid { field: Some(got), .. } if *got == field),
                "{chat:?} {text:?} {sender:?}: {error:?}"
            );
        }
    }

    #[test]
    fn a_text_over_the_limit_is_too_large() {
        let error = parse("a:b", &"x".repeat(MAX_TEXT_BYTES + 1), "a").unwrap_err();
        assert_eq!(
            error,
            Error::TooLarge {
                what: "text",
                limit: MAX_TEXT_BYTES
            }
        );
    }
}
