//! Read marks: up to where a person has read a chat, and how much that leaves unread.

use crate::domain::chat::Chat;
use crate::domain::entry_id::{Epoch, MOST};
use crate::domain::error::{Error, Field, Result};
use crate::domain::member::Member;
use crate::domain::position::Position;
use crate::domain::slice::Extent;

/// What a client sends to say how far it has read, each value as it came.
#[derive(Debug, Default)]
pub struct MarkFields {
    /// Who has read; `None` for the caller.
    pub name: Option<String>,
    /// The chat's two names.
    pub chat: Option<String>,
    /// The position up to which all is read.
    pub position: Option<String>,
    /// The index up to which all is read, in place of a position.
    pub index: Option<u64>,
    /// The chat log that the index belongs to; 0 means any.
    pub epoch: Option<u64>,
}

/// Up to where a person has read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadUpTo {
    /// Up to a position, which the chat log must confirm.
    Position(Position),
    /// Up to this index and with it. One beyond the newest message is that of the newest.
    Index {
        /// The index.
        index: u64,
        /// The chat log; `None` for any.
        epoch: Option<Epoch>,
    },
}

/// A person's word of how far they have read a chat.
#[derive(Debug, PartialEq)]
pub struct MarkRequest {
    /// Which chat.
    pub chat: Chat,
    /// Who has read it: one of its two members.
    pub reader: Member,
    /// Up to where.
    pub up_to: ReadUpTo,
}

impl MarkRequest {
    /// Parses a mark of `reader`, who must be in the chat. A position takes the place of an index; one of them must be there.
    pub fn parse(reader: Member, chat: Chat, fields: &MarkFields) -> Result<Self> {
        if !chat.members().contains(&&reader) {
            return Err(Error::invalid(Field::Name, "must be one of the chat's two names"));
        }
        let up_to = match (&fields.position, fields.index) {
            (Some(position), _) => {
                let position = position.parse().map_err(|_| {
                    Error::invalid(Field::Position, "must be a position from an earlier answer, as it came")
                })?;
                ReadUpTo::Position(position)
            }
            (None, Some(index)) => ReadUpTo::Index {
                index: index.min(MOST),
                epoch: fields.epoch.and_then(Epoch::new),
            },
            (None, None) => return Err(Error::invalid(Field::Position, "or index is required")),
        };
        Ok(Self { chat, reader, up_to })
    }
}

/// A person's mark in a chat, as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The chat.
    pub chat: Chat,
    /// The chat log; `None` if the chat has no messages.
    pub epoch: Option<Epoch>,
    /// Up to where the person has read.
    pub read: Position,
    /// How many places of the chat log are unread.
    pub unread: u64,
}

/// How many places of a chat log are above a mark and not trimmed. A message that was removed by hand counts until a mark passes it.
/// 0 if the chat is one with oneself: nobody's own messages are unread.
pub fn unread(chat: &Chat, extent: &Extent, read: Position) -> u64 {
    let [first, second] = chat.members();
    if first == second {
        return 0;
    }
    let end = extent.newest.saturating_add(1);
    end.saturating_sub(read.next_index().max(extent.oldest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};

    #[test]
    fn unread_is_what_is_above_the_mark_and_kept() {
        let of = |chat: &str, oldest, newest, read: &str| {
            let extent = Extent {
                epoch: Epoch::new(17).unwrap(),
                oldest,
                newest,
                newest_time: 118,
            };
            unread(&Chat::parse(chat).unwrap(), &extent, read.parse().unwrap())
        };
        for (oldest, newest, read, expected) in [
            (0, 0, "0", 1),
            (0, 9, "0", 10),
            (0, 9, "17-0-17", 9),
            (0, 9, "17-8-25", 1),
            (0, 9, "17-9-26", 0),
            // The newest was removed by hand.
            (0, 8, "17-9-26", 0),
            // Trimmed: what is gone is not unread.
            (6, 9, "0", 4),
            (6, 9, "17-3-20", 4),
            (6, 9, "17-7-24", 2),
            (0, u64::MAX, "0", u64::MAX),
        ] {
            assert_eq!(of("a:b", oldest, newest, read), expected, "{oldest}..{newest} {read}");
            assert_eq!(of("a:A", oldest, newest, read), 0);
        }
    }

    fn parse(
        reader: &str,
        chat: &str,
        position: Option<&str>,
        index: Option<u64>,
        epoch: Option<u64>,
    ) -> Result<MarkRequest> {
        let fields = MarkFields {
            position: position.map(str::to_owned),
            index,
            epoch,
            ..MarkFields::default()
        };
        MarkRequest::parse(Member::parse(reader).unwrap(), Chat::parse(chat)?, &fields)
    }

    #[test]
    fn a_mark_is_a_position_or_an_index() {
        let position = ReadUpTo::Position("17-3-20".parse().unwrap());
        let index = |index, epoch: u64| ReadUpTo::Index {
            index,
            epoch: Epoch::new(epoch),
        };
        for (position_text, number, epoch, up_to) in [
            (Some("17-3-20"), None, None, position),
            (Some("17-3-20"), Some(9), Some(16), position),
            (Some("0"), None, None, ReadUpTo::Position(Position::Start)),
            (None, Some(9), None, index(9, 0)),
            (None, Some(9), Some(0), index(9, 0)),
            (None, Some(9), Some(17), index(9, 17)),
            (None, Some(u64::MAX), None, index(MOST, 0)),
        ] {
            assert_eq!(parse("B", "a:b", position_text, number, epoch).unwrap().up_to, up_to);
        }
        for (reader, chat, position, field) in [
            ("a", "ab", Some("0"), Field::Chat),
            ("c", "a:b", Some("0"), Field::Name),
            ("a", "a:b", Some("17-3"), Field::Position),
            ("a", "a:b", None, Field::Position),
        ] {
            let error = parse(reader, chat, position, None, Some(17)).unwrap_err();
            let named = matches!(&error, Error::Invalid { field: Some(got), .. } if *got == field);
            assert!(named, "{reader} {chat} {position:?}: {error:?}");
        }
    }

    #[test]
    fn fuzz_marks() {
        let texts = near(&["a:b", "17-41-18", "0"]);
        fuzz("marks", &(texts.clone(), texts), |(chat, position)| {
            let chat = String::from_utf8_lossy(&chat);
            if let Ok(request) = parse("a", &chat, Some(&String::from_utf8_lossy(&position)), None, None) {
                assert!(request.chat.members().contains(&&request.reader));
            }
        });
    }
}
