//! A place in a chat's history that names its content, so that it never leads to other messages.

use crate::domain::entry_id::{EntryId, Epoch, MOST, counted};
use std::fmt;
use std::str::FromStr;

/// Up to where a client has a chat's messages. Opaque to clients: `0`, or `<epoch>-<index>-<time>`.
///
/// The index alone lies after a chat log was replaced; epoch and index lie after a failover that lost the newest messages and let
/// others take their indexes. With the time, all three together name one message for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The client has nothing: the start of any chat, of an empty one too.
    Start,
    /// The client has everything up to this entry.
    After {
        /// The chat log, and the index up to which the client has everything.
        id: EntryId,
        /// The `send_time` of the newest message at or below the index; 0 if there is none.
        time: u64,
    },
}

impl Position {
    /// The position after the message at `index`, which was sent at `time`.
    pub fn after(epoch: Epoch, index: u64, time: u64) -> Self {
        let id = EntryId { epoch, index };
        Self::After { id, time }
    }

    /// The chat log; `None` at the start.
    pub fn epoch(self) -> Option<Epoch> {
        self.id().map(|id| id.epoch)
    }

    /// The entry up to which the client has everything; `None` at the start.
    pub fn id(self) -> Option<EntryId> {
        match self {
            Self::Start => None,
            Self::After { id, .. } => Some(id),
        }
    }

    /// The index of the next message.
    pub fn next_index(self) -> u64 {
        self.id().map_or(0, |id| id.index.saturating_add(1))
    }

    /// The position before `index` in the same chat log, if everything from here to there is gone.
    #[must_use]
    pub fn before(self, epoch: Epoch, index: u64) -> Self {
        let time = match self {
            Self::Start => 0,
            Self::After { time, .. } => time,
        };
        match index.checked_sub(1) {
            None => Self::Start,
            Some(last) => Self::after(epoch, last, time),
        }
    }
}

/// From where on a client's copy of a chat is void: the chat log does not confirm its position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reset {
    /// The chat log today; `None` if there is none.
    pub epoch: Option<Epoch>,
    /// What the client has from this index on, was lost.
    pub index: u64,
    /// The position before that index, from which to continue.
    pub position: Position,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => formatter.write_str("0"),
            Self::After { id, time } => write!(formatter, "{id}-{time}"),
        }
    }
}

/// The text is not a position.
#[derive(Debug, PartialEq)]
pub struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        if text == "0" {
            return Ok(Self::Start);
        }
        let parse = |text: &str| {
            let (id, time) = text.rsplit_once('-')?;
            let id: EntryId = id.parse().ok()?;
            let time = counted(time)?;
            // Another index must be able to follow.
            (id.index < MOST && id.epoch.get() <= MOST).then_some(Self::After { id, time })
        };
        parse(text).ok_or(NotAPosition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};

    #[test]
    fn a_position_is_three_numbers_or_the_start() {
        for (text, next) in [
            ("0", 0),
            ("17-0-17", 1),
            ("17-41-0", 42),
            ("9007199254740991-9-9007199254740991", 10),
            ("17-9007199254740990-18", MOST),
        ] {
            let position: Position = text.parse().unwrap();
            assert_eq!((position.next_index(), position.to_string().as_str()), (next, text));
        }
        for text in [
            "",
            "1",
            "17-1",
            "17-1-",
            "0-0-0",
            "17-1-1-1",
            "+17-1-1",
            "17-+1-1",
            "17-1-+1",
            " 17-1-1",
            "17--1-1",
            "17-9007199254740991-1",
            "17-18446744073709551615-1",
            "17-1-9007199254740992",
            "17-1-18446744073709551616",
            "9007199254740992-1-1",
            "x-1-1",
            "00",
        ] {
            assert_eq!(text.parse::<Position>(), Err(NotAPosition), "{text}");
        }
    }

    #[test]
    fn fuzz_positions() {
        fuzz("positions", &near(&["0", "17-41-18"]), |text| {
            let text = String::from_utf8_lossy(&text);
            if let Ok(position) = text.parse::<Position>() {
                assert_eq!(position.to_string().parse(), Ok(position));
            }
        });
    }
}
