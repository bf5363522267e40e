//! What a follower of a chat is told: every message from where it begins, then those that come, and what has become of its place.

use crate::chat::Chat;
use crate::message::Message;
use crate::page::Extent;

/// The most messages that a follower is told at once.
pub const MESSAGES_AT_ONCE: u64 = 100;

/// One follower's wish.
#[derive(Debug, PartialEq)]
pub struct FollowRequest {
    /// Whose messages.
    pub chat: Chat,
    /// Where to begin; none for the next message that comes.
    pub from: Option<Position>,
}

/// The message that a follower is to be told next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// The log that the index belongs to, as in [`Extent::epoch`]; none for whichever there is.
    pub epoch: Option<u64>,
    /// The index.
    pub index: u64,
}

/// What a follower is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// The next message of the log of this epoch.
    Message(u64, Message),
    /// The log that was followed is gone, or has lost its newest messages. What comes next is the start of the one of this epoch,
    /// 0 where there is none yet.
    Reset(u64),
    /// Messages of the log of this epoch are gone before they could be told. The next is of this index, 1 or above.
    Gap(u64, u64),
}

impl Position {
    /// The position of a cursor, of the log of this epoch where the client names one: 0 is what a chat without messages has.
    pub fn at(epoch: Option<u64>, index: u64) -> Self {
        Self {
            epoch: epoch.filter(|epoch| *epoch != 0),
            index,
        }
    }

    /// The position after the newest message.
    pub fn after(extent: Option<Extent>) -> Self {
        Self {
            epoch: extent.map(|extent| extent.epoch),
            index: extent.map_or(0, |extent| extent.newest.saturating_add(1)),
        }
    }

    /// The position after the event with this id, `<epoch>-<index>` in decimal.
    pub fn after_event(id: &str) -> Option<Self> {
        let (epoch, index) = id.split_once('-')?;
        Some(Self {
            epoch: Some(decimal(epoch)?),
            index: decimal(index)?.checked_add(1)?,
        })
    }

    /// Moves on past `messages`, which were read from this position on in a log that reaches as far as `extent` says (none
    /// where there is no log), and returns what the follower is to be told of it. No message is told twice, and none is passed
    /// over without an [`Update::Gap`] or [`Update::Reset`].
    pub fn advance(&mut self, extent: Option<Extent>, messages: Vec<Message>) -> Vec<Update> {
        let end = Self::after(extent);
        let lost = self.epoch != end.epoch || self.index > end.index;
        if self.epoch.is_some() && lost {
            let epoch = end.epoch;
            *self = Self { epoch, index: 0 };
            return vec![Update::Reset(epoch.unwrap_or(0))];
        }
        let Some(extent) = extent else {
            return Vec::new();
        };
        // Of a place further on than the log, nobody knows in which log it will be.
        if self.index <= end.index {
            self.epoch = end.epoch;
        }
        let mut updates = Vec::new();
        updates.extend(self.pass_over(extent.epoch, extent.oldest));
        for message in messages {
            updates.extend(self.pass_over(extent.epoch, message.index));
            self.index = message.index.saturating_add(1);
            updates.push(Update::Message(extent.epoch, message));
        }
        updates
    }

    fn pass_over(&mut self, epoch: u64, index: u64) -> Option<Update> {
        (self.index < index).then(|| {
            self.index = index;
            Update::Gap(epoch, index)
        })
    }

    /// The id of the event after which this position is, as [`Position::after_event`] reads it; none at the start of a log.
    pub fn last_event(&self) -> Option<String> {
        Some(format!("{}-{}", self.epoch?, self.index.checked_sub(1)?))
    }
}

/// Reads digits and nothing else. (Rust's own parser takes a leading plus sign too.)
pub(crate) fn decimal(digits: &str) -> Option<u64> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENT: Extent = Extent {
        epoch: 17,
        oldest: 3,
        newest: 9,
    };

    fn messages(indexes: &[u64]) -> Vec<Message> {
        let message = |index: &u64| Message {
            index: *index,
            sender: "a".into(),
            text: "hi".into(),
            send_time: *index,
        };
        indexes.iter().map(message).collect()
    }

    /// What a follower at `index` of the log `epoch` is told of these messages, its place afterwards, in words.
    fn told(epoch: Option<u64>, index: u64, extent: Option<Extent>, indexes: &[u64]) -> (String, Option<u64>, u64) {
        let mut position = Position { epoch, index };
        let updates = position.advance(extent, messages(indexes));
        let words = updates.into_iter().map(|update| match update {
            Update::Message(epoch, message) => format!("{epoch}-{}", message.index),
            Update::Reset(epoch) => format!("reset {epoch}"),
            Update::Gap(epoch, index) => format!("gap {epoch}-{index}"),
        });
        (words.collect::<Vec<_>>().join(", "), position.epoch, position.index)
    }

    #[test]
    fn every_message_is_told_once_and_a_lost_place_is_told() {
        let some = Some(EXTENT);
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
            let (words, epoch, index) = told(epoch, index, extent, indexes);
            assert_eq!((words.as_str(), epoch, index), expected);
        }
    }

    #[test]
    fn an_event_s_id_is_an_epoch_and_an_index() {
        for (id, epoch, index) in [
            ("17-0", 17, 1),
            ("0-41", 0, 42),
            ("18446744073709551615-9", u64::MAX, 10),
        ] {
            let epoch = Some(epoch);
            let position = Position { epoch, index };
            assert_eq!(Position::after_event(id), Some(position));
            assert_eq!(position.last_event().as_deref(), Some(id));
        }
        for id in [
            "",
            "17",
            "-",
            "17-",
            "-1",
            "17-1-1",
            "+17-1",
            "17-+1",
            "17--1",
            "1e3-1",
            " 17-1",
            "x-1",
            "17-18446744073709551615",
            "18446744073709551616-0",
        ] {
            assert_eq!(Position::after_event(id), None, "{id}");
        }
        for (epoch, index) in [(Some(17), 0), (None, 3)] {
            assert_eq!(Position { epoch, index }.last_event(), None);
        }
    }

    #[test]
    fn now_is_after_the_newest() {
        let after = |epoch, index| Position { epoch, index };
        assert_eq!(Position::after(Some(EXTENT)), after(Some(17), 10));
        assert_eq!(Position::after(None), after(None, 0));
    }
}
