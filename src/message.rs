//! A message before it is stored, and after.

use crate::chat::{Chat, Member, Room};
use crate::error::{Error, Result};

/// The most bytes (of UTF-8) of a text.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The most characters of an idempotency key.
pub const MAX_KEY_CHARS: usize = 255;

/// What a client calls one message, so that it can send it again without storing it twice: 1 to [`MAX_KEY_CHARS`] visible ASCII
/// characters, in which case matters.
#[derive(Clone, Debug, PartialEq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a key.
    pub fn parse(key: String) -> Result<Self> {
        if (1..=MAX_KEY_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(key))
        } else {
            let reason = "must be 1 to 255 visible ASCII characters, without spaces";
            Err(Error::field("Idempotency-Key", reason))
        }
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message that may be stored: its chat is well formed, its text within bounds, its sender in the chat.
#[derive(Debug, PartialEq)]
pub struct Draft {
    chat: Chat,
    text: String,
    member: Member,
    sender: String,
    key: Option<IdempotencyKey>,
}

impl Draft {
    /// Reads a message: `chat` as [`Chat::parse`] has it, `text` of 1 to [`MAX_TEXT_BYTES`] bytes, `sender` one of the chat's
    /// two names in any letter case.
    pub fn parse(chat: String, text: String, sender: String, key: Option<IdempotencyKey>) -> Result<Self> {
        let chat = Chat::parse(chat)?;
        if sender.is_empty() {
            return Err(Error::field("sender", "must not be empty"));
        }
        let Some(member) = chat.member(&sender).cloned() else {
            return Err(Error::field("sender", "must be one of the chat's two names"));
        };
        if text.is_empty() {
            return Err(Error::field("text", "must not be empty"));
        }
        if text.len() > MAX_TEXT_BYTES {
            return Err(Error::TooLarge {
                what: "text",
                limit: MAX_TEXT_BYTES,
            });
        }
        Ok(Self {
            chat,
            text,
            member,
            sender,
            key,
        })
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

    /// Who says it, as a member of the room.
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// What the client calls this message.
    pub fn key(&self) -> Option<&IdempotencyKey> {
        self.key.as_ref()
    }
}

/// Where and when a message was stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Receipt {
    /// Its place in the chat, from 0, with no gaps.
    pub index: u64,
    /// Redis's time in microseconds since the Unix epoch, greater than that of every earlier message of the chat.
    pub send_time: u64,
    /// Whether an earlier try with the same key had stored it already.
    pub replayed: bool,
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
        Draft::parse(chat.to_owned(), text.to_owned(), sender.to_owned(), None)
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
    fn a_key_is_visible_ascii() {
        let longest = "k".repeat(MAX_KEY_CHARS);
        for key in ["k", "8e03978e-40d5-43e8-bc93-6894a57f9324", "{\"}:%~!", &longest] {
            assert_eq!(IdempotencyKey::parse(key.to_owned()).unwrap().as_str(), key);
        }
        let too_long = "k".repeat(MAX_KEY_CHARS + 1);
        for key in ["", " ", "a b", "\t", "\u{7f}", "é", &too_long] {
            let error = IdempotencyKey::parse(key.to_owned()).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Invalid {
                        field: Some("Idempotency-Key"),
                        ..
                    }
                ),
                "{key:?}"
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
