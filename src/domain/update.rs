//! Positions in a chat log, and the updates that a follower receives from it.

use crate::domain::chat::Chat;
use crate::domain::entry_id::{EntryId, Epoch};
use crate::domain::message::Message;
use crate::domain::page::{Extent, Slice};

/// A request to follow a chat.
#[derive(Debug, PartialEq)]
pub struct FollowRequest {
    /// Whose messages.
    pub chat: Chat,
    /// Where to begin; `None` for the next message that is sent.
    pub from: Option<Position>,
}

/// The place of the message that a follower receives next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// The log that the index belongs to; `None` for whichever there is.
    pub epoch: Option<Epoch>,
    /// The index.
    pub index: u64,
}

/// What a follower receives.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// The next message.
    Message {
        /// The message's log.
        epoch: Epoch,
        /// The message.
        message: Message,
    },
    /// The log that was followed is gone, or has lost its newest messages. What follows is the start of the log of this epoch.
    Reset {
        /// `None` if the chat has no log.
        epoch: Option<Epoch>,
    },
    /// Messages were removed before the follower could receive them.
    Gap {
        /// The log.
        epoch: Epoch,
        /// The index of the next message, 1 or above.
        first_index: u64,
    },
}

impl Position {
    /// The position after the newest message.
    pub fn after_newest(extent: Option<Extent>) -> Self {
        Self {
            epoch: extent.map(|extent| extent.epoch),
            index: extent.map_or(0, |extent| extent.newest.saturating_add(1)),
        }
    }

    /// The position after the entry of this id; `None` if no index can follow.
    pub fn after_entry(id: EntryId) -> Option<Self> {
        Some(Self {
            epoch: Some(id.epoch),
            index: id.index.checked_add(1)?,
        })
    }

    /// Moves past the messages of `slice`, which was read from this position on (`None` if there is no log), and returns what
    /// the follower receives. No message comes twice, and none is left out without an [`Update::Gap`] or [`Update::Reset`].
    pub fn advance(&mut self, slice: Option<Slice>) -> Vec<Update> {
        let end = Self::after_newest(slice.as_ref().map(|slice| slice.extent));
        let lost = self.epoch != end.epoch || self.index > end.index;
        if self.epoch.is_some() && lost {
            let epoch = end.epoch;
            *self = Self { epoch, index: 0 };
            return vec![Update::Reset { epoch }];
        }
        let Some(Slice { extent, messages }) = slice else {
            return Vec::new();
        };
        // The log has not reached a later position yet, and may be another one when it does.
        if self.index <= end.index {
            self.epoch = end.epoch;
        }
        let epoch = extent.epoch;
        let mut updates = Vec::new();
        updates.extend(self.skip_to(epoch, extent.oldest));
        for message in messages {
            updates.extend(self.skip_to(epoch, message.index));
            self.index = message.index.saturating_add(1);
            updates.push(Update::Message { epoch, message });
        }
        updates
    }

    fn skip_to(&mut self, epoch: Epoch, first_index: u64) -> Option<Update> {
        (self.index < first_index).then(|| {
            self.index = first_index;
            Update::Gap { epoch, first_index }
        })
    }

    /// The id of the entry before this position; `None` at the start of a log, or if the log is not known.
    pub fn last_entry(&self) -> Option<EntryId> {
        Some(EntryId {
            epoch: self.epoch?,
            index: self.index.checked_sub(1)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(number: u64) -> Option<Epoch> {
        Epoch::new(number)
    }

    fn extent() -> Extent {
        Extent {
            epoch: epoch(17).unwrap(),
            oldest: 3,
            newest: 9,
        }
    }

    fn messages(indexes: &[u64]) -> Vec<Message> {
        let message = |index: &u64| Message {
            index: *index,
            sender: "a".into(),
            text: "hi".into(),
            send_time: *index,
        };
        indexes.iter().map(message).collect()
    }

    /// What a follower at `index` of the log `epoch` receives for these messages, and its place afterwards, in words.
    fn advanced(from: Option<u64>, index: u64, extent: Option<Extent>, indexes: &[u64]) -> (String, Option<u64>, u64) {
        let mut position = Position {
            epoch: from.and_then(Epoch::new),
            index,
        };
        let slice = extent.map(|extent| Slice {
            extent,
            messages: messages(indexes),
        });
        let words = position.advance(slice).into_iter().map(|update| match update {
            Update::Message { epoch, message } => format!("{}-{}", epoch.get(), message.index),
            Update::Reset { epoch } => format!("reset {}", epoch.map_or(0, Epoch::get)),
            Update::Gap { epoch, first_index } => format!("gap {}-{first_index}", epoch.get()),
        });
        let words = words.collect::<Vec<_>>().join(", ");
        (words, position.epoch.map(Epoch::get), position.index)
    }

    #[test]
    fn every_message_comes_once_and_a_lost_place_is_reported() {
        let some = Some(extent());
        for (epoch, index, extent, indexes, expected) in [
            (Some(17), 8, some, &[8, 9][..], ("17-8, 17-9", Some(17), 10)),
            (Some(17), 10, some, &[], ("", Some(17), 10)),
            (None, 99, some, &[], ("", None, 99)),
            (None, 8, some, &[8], ("17-8", Some(17), 9)),
            (None, 0, None, &[], ("", None, 0)),
            // Trimmed, or removed by hand.
            (Some(17), 0, some, &[3, 4], ("gap 17-3, 17-3, 17-4", Some(17), 5)),
            (Some(17), 0, some, &[], ("gap 17-3", Some(17), 3)),
            (Some(17), 4, some, &[6], ("gap 17-6, 17-6", Some(17), 7)),
            // Another log, or none any more: from its start, whatever was read.
            (Some(16), 8, some, &[8], ("reset 17", Some(17), 0)),
            (Some(18), 0, some, &[], ("reset 17", Some(17), 0)),
            (Some(17), 8, None, &[], ("reset 0", None, 0)),
            // The same, without its newest messages.
            (Some(17), 11, some, &[], ("reset 17", Some(17), 0)),
        ] {
            let (words, epoch, index) = advanced(epoch, index, extent, indexes);
            assert_eq!((words.as_str(), epoch, index), expected);
        }
    }

    #[test]
    fn a_position_follows_an_entry() {
        for (id, index) in [("17-0", 1), ("17-41", 42)] {
            let position = Position::after_entry(id.parse().unwrap()).unwrap();
            assert_eq!(
                position,
                Position {
                    epoch: epoch(17),
                    index
                }
            );
            assert_eq!(position.last_entry().unwrap().to_string(), id);
        }
        assert_eq!(Position::after_entry("17-18446744073709551615".parse().unwrap()), None);
        for (epoch, index) in [(epoch(17), 0), (None, 3)] {
            assert_eq!(Position { epoch, index }.last_entry(), None);
        }
    }

    #[test]
    fn now_is_after_the_newest() {
        let after = |epoch, index| Position { epoch, index };
        assert_eq!(Position::after_newest(Some(extent())), after(epoch(17), 10));
        assert_eq!(Position::after_newest(None), after(None, 0));
    }
}
