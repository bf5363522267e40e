//! What the follower of a chat receives.

use crate::domain::chat::Chat;
use crate::domain::entry_id::{Epoch, MOST};
use crate::domain::message::Message;
use crate::domain::notice::{Item, Notice};
use crate::domain::position::{Position, Reset};
use crate::domain::slice::Slice;

/// A request to follow a chat.
#[derive(Debug, PartialEq)]
pub struct FollowRequest {
    /// Whose messages.
    pub chat: Chat,
    /// Where to begin.
    pub from: Start,
}

/// Where a follower begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// With the next message that is sent.
    Now,
    /// After what the client has.
    After(Position),
    /// At an index. If an epoch stands beside it, the index must be one of that chat log, or a reset comes first. Without an epoch, an
    /// index past the end of the chat log means the next message.
    Cursor {
        /// The index of the first message.
        index: u64,
        /// The chat log; `None` for any.
        epoch: Option<Epoch>,
    },
    /// After a position that could not be read: with a reset, at the start.
    Unreadable,
}

impl Start {
    /// Begins at a client's cursor.
    pub fn at(cursor: u64, epoch: Option<Epoch>) -> Self {
        let index = cursor.min(MOST);
        Self::Cursor { index, epoch }
    }
}

/// What a follower receives.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// The first one: where the stream begins.
    Open {
        /// The chat log; `None` if there is none.
        epoch: Option<Epoch>,
        /// The client's own position, or the one that its request means; `None` if it could not be read.
        position: Option<Position>,
    },
    /// The next message.
    Message {
        /// The message's log.
        epoch: Epoch,
        /// The message.
        message: Message,
    },
    /// A message was deleted.
    Deleted {
        /// The log of both.
        epoch: Epoch,
        /// What says so.
        notice: Notice,
    },
    /// The client's copy is void from an index on. What follows begins there.
    Reset(Reset),
    /// Messages were removed before the follower could receive them.
    Gap {
        /// The index of the first message that is missing.
        from: u64,
        /// The index of the next message that is there.
        first_index: u64,
        /// The position before that one.
        position: Position,
    },
}

impl Position {
    /// Moves past the items of `slice`, which was read from this position on in a log that confirms it, and returns what the
    /// follower receives. No message comes twice, and none is left out without an
    /// [`Update::Gap`], unless all that is missing was deleted: a notice says so then, here or before.
    pub fn advance(&mut self, slice: Option<Slice>) -> Vec<Update> {
        let Some(Slice {
            extent, items, told, ..
        }) = slice
        else {
            return Vec::new();
        };
        let epoch = extent.epoch;
        let mut updates = Vec::new();
        updates.extend(self.skip_to(epoch, extent.oldest));
        for item in items {
            if !told.contains(&item.index()) {
                updates.extend(self.skip_to(epoch, item.index()));
            }
            *self = Self::after(epoch, item.index(), item.time());
            updates.push(match item {
                Item::Message(message) => Update::Message { epoch, message },
                Item::Notice(notice) => Update::Deleted { epoch, notice },
            });
        }
        updates
    }

    fn skip_to(&mut self, epoch: Epoch, first_index: u64) -> Option<Update> {
        let from = self.next_index();
        (from < first_index).then(|| {
            *self = self.before(epoch, first_index);
            Update::Gap {
                from,
                first_index,
                position: *self,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slice::Extent;

    fn messages(indexes: &[u64]) -> Vec<Message> {
        let message = |index: &u64| Message {
            index: *index,
            sender: "a".into(),
            text: "hi".into(),
            data: None,
            send_time: index.saturating_add(100),
        };
        indexes.iter().map(message).collect()
    }

    /// What a follower at `from` receives for these messages of a log from 3 to 9, and its position afterwards, in words.
    fn advanced(from: &str, indexes: &[u64], told: &[u64]) -> (String, String) {
        let mut position: Position = from.parse().unwrap();
        let extent = Extent {
            epoch: Epoch::new(17).unwrap(),
            oldest: 3,
            newest: 9,
            newest_time: 109,
        };
        let updates = position.advance(Some(Slice {
            extent,
            items: messages(indexes).into_iter().map(Item::Message).collect(),
            far: Some(9),
            told: told.to_vec(),
        }));
        let words = updates.into_iter().map(|update| match update {
            Update::Message { message, .. } => message.index.to_string(),
            Update::Gap {
                from,
                first_index,
                position,
            } => format!("gap {from}..{first_index} {position}"),
            other => panic!("{other:?}"),
        });
        (words.collect::<Vec<_>>().join(", "), position.to_string())
    }

    #[test]
    fn every_message_comes_once_and_none_is_left_out_silently() {
        for (from, indexes, updates, position) in [
            ("17-7-107", &[8, 9][..], "8, 9", "17-9-109"),
            ("17-9-109", &[], "", "17-9-109"),
            // Trimmed, or removed by hand.
            ("0", &[3, 4], "gap 0..3 17-2-0, 3, 4", "17-4-104"),
            ("17-1-101", &[3], "gap 2..3 17-2-101, 3", "17-3-103"),
            ("17-1-101", &[], "gap 2..3 17-2-101", "17-2-101"),
            ("17-3-103", &[6], "gap 4..6 17-5-103, 6", "17-6-106"),
            ("17-4-104", &[5, 8], "5, gap 6..8 17-7-105, 8", "17-8-108"),
        ] {
            let (words, then) = advanced(from, indexes, &[]);
            assert_eq!((words.as_str(), then.as_str()), (updates, position), "{from}");
        }
        // Deleted, which a notice says.
        let (words, then) = advanced("17-4-104", &[5, 8, 9], &[8]);
        assert_eq!((words.as_str(), then.as_str()), ("5, 8, 9", "17-9-109"));
        let mut start = Position::Start;
        assert_eq!((start.advance(None), start), (Vec::new(), Position::Start));
    }
}
