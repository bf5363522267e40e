//! A person's chats, newest first, page by page.

use crate::domain::chat::Chat;
use crate::domain::chat_settings::Side;
use crate::domain::entry_id::counted;
use crate::domain::error::{Error, Field, Result};
use crate::domain::mark;
use crate::domain::member::Member;
use crate::domain::message::Message;
use crate::domain::position::Position;
use crate::domain::slice::Extent;
use std::fmt;
use std::str::FromStr;

/// The page size if the client names none, or 0.
pub const DEFAULT_CHATS: u8 = 20;

/// The largest page. A client that asks for more receives this many, with a truthful `next`.
pub const MAX_CHATS: u8 = 100;

/// A last message's data of more bytes is left out.
pub const MAX_LAST_DATA_BYTES: usize = 512;

/// A last message's text is cut to this many bytes, at a character.
pub const MAX_LAST_BYTES: usize = 256;

/// A chat's place in an inbox: `<time>:<chat>`. The time alone would not do: chats of one time would be lost between two pages.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The time of the chat's newest message, in microseconds since the Unix epoch.
    pub time: u64,
    /// The chat.
    pub chat: Chat,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.time, self.chat)
    }
}

/// The text is not a place.
#[derive(Debug, PartialEq)]
pub struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let parse = |text: &str| {
            let (time, chat) = text.split_once(':')?;
            let (time, chat) = (counted(time)?, Chat::parse(chat).ok()?);
            Some(Self { time, chat })
        };
        parse(text).ok_or(NotAPlace)
    }
}

/// What a client sends to read an inbox, each value as it came.
#[derive(Debug, Default)]
pub struct InboxFields {
    /// Whose inbox; `None` for the caller's.
    pub name: Option<String>,
    /// The most chats.
    pub limit: Option<u64>,
    /// The place after which the page begins.
    pub before: Option<String>,
}

/// A request for a page of an inbox.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxRequest {
    /// Whose inbox.
    pub reader: Member,
    /// The most chats: 1 to [`MAX_CHATS`].
    pub limit: u8,
    /// The place after which the page begins; `None` for the newest.
    pub before: Option<Place>,
}

impl InboxRequest {
    /// Parses a request. A `limit` of `None` or 0 means [`DEFAULT_CHATS`], more than [`MAX_CHATS`] means [`MAX_CHATS`].
    pub fn parse(reader: Member, limit: Option<u64>, before: Option<&str>) -> Result<Self> {
        let limit = match limit {
            None | Some(0) => DEFAULT_CHATS,
            Some(asked) => u8::try_from(asked).unwrap_or(MAX_CHATS).min(MAX_CHATS),
        };
        let place = |text: &str| {
            text.parse().map_err(|_| {
                let reason = "must be the next of an earlier answer, as it came";
                Error::invalid(Field::Before, reason)
            })
        };
        let before = before.map(place).transpose()?;
        Ok(Self { reader, limit, before })
    }
}

/// A chat in somebody's inbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The chat.
    pub chat: Chat,
    /// The other member; the reader in a chat with oneself.
    pub with: Member,
    /// How far the chat log reaches.
    pub extent: Extent,
    /// Its newest message, the text cut to [`MAX_LAST_BYTES`], without data of more than [`MAX_LAST_DATA_BYTES`].
    pub last: Message,
    /// Whether the text was cut.
    pub cut: bool,
    /// Whether its data was left out.
    pub data_cut: bool,
    /// Up to where the reader has read.
    pub read: Position,
    /// Up to where the other member has.
    pub read_by_other: Position,
    /// How many of the places above the reader's mark are no message.
    pub deleted: u64,
    /// What the reader has set for the chat.
    pub side: Side,
}

impl Entry {
    /// How many messages the reader has not read. A send by the reader has moved the mark past its message.
    pub fn unread(&self) -> u64 {
        mark::unread(&self.chat, &self.extent, self.read).saturating_sub(self.deleted)
    }
}

/// A page of an inbox.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxPage {
    /// The chats, newest first.
    pub chats: Vec<Entry>,
    /// Where the next page begins; `None` if there is none.
    pub next: Option<Place>,
    /// The chats that are on the page, but could not be read, as a node of a Cluster did not answer.
    pub away: Vec<Chat>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry_id::MOST;
    use crate::fuzz::{fuzz, near};

    #[test]
    fn a_place_is_a_time_and_a_chat() {
        for (text, time) in [("17:alice:bob", 17), ("0:a:a", 0), ("9007199254740991:é:{", MOST)] {
            let place: Place = text.parse().unwrap();
            assert_eq!(place.time, time);
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        assert_eq!("17:B:a".parse::<Place>().unwrap().to_string(), "17:a:b");
        for text in [
            "",
            "17",
            "17:",
            "17:a",
            ":a:b",
            "x:a:b",
            "+17:a:b",
            "17:a:b:c",
            "9007199254740992:a:b",
            "18446744073709551616:a:b",
        ] {
            assert_eq!(text.parse::<Place>(), Err(NotAPlace), "{text}");
        }
    }

    #[test]
    fn a_page_has_20_chats_and_at_most_100() {
        let reader = || Member::parse("a").unwrap();
        for (asked, limit) in [
            (None, 20),
            (Some(0), 20),
            (Some(1), 1),
            (Some(100), 100),
            (Some(101), 100),
            (Some(u64::MAX), 100),
        ] {
            assert_eq!(InboxRequest::parse(reader(), asked, None).unwrap().limit, limit);
        }
        let error = InboxRequest::parse(reader(), None, Some("17")).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Invalid {
                    field: Some(Field::Before),
                    ..
                }
            ),
            "{error:?}"
        );
    }

    #[test]
    fn fuzz_places() {
        fuzz("places", &near(&["17:a:b", "0:É:{"]), |text| {
            if let Ok(place) = String::from_utf8_lossy(&text).parse::<Place>() {
                assert_eq!(place.to_string().parse(), Ok(place));
            }
        });
    }
}
