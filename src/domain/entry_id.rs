//! Which chat log an index belongs to, and the id of an entry in it: `<epoch>-<index>`.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

/// The most that an index, a cursor or a time is: Lua, in which Redis's scripts count, keeps numbers up to 2^53 exactly. No log comes near.
pub const MOST: u64 = (1 << 53) - 1;

/// When a chat log began, in microseconds since the Unix epoch. A log that was lost and begun anew has another epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(NonZeroU64);

impl Epoch {
    /// The epoch of this number; `None` for 0, which is what a chat without messages has.
    pub fn new(microseconds: u64) -> Option<Self> {
        NonZeroU64::new(microseconds).map(Self)
    }

    /// The number, above 0.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

/// The id of a stored message in Redis, and of its server-sent event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId {
    /// The chat log.
    pub epoch: Epoch,
    /// The message's place in it, from 0.
    pub index: u64,
}

impl fmt::Display for EntryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.epoch.get(), self.index)
    }
}

/// The text is not an entry's id.
#[derive(Debug, PartialEq)]
pub struct NotAnId;

impl FromStr for EntryId {
    type Err = NotAnId;

    fn from_str(id: &str) -> Result<Self, NotAnId> {
        let parse = |id: &str| {
            let (epoch, index) = id.split_once('-')?;
            Some(Self {
                epoch: Epoch::new(decimal(epoch)?)?,
                index: counted(index)?,
            })
        };
        parse(id).ok_or(NotAnId)
    }
}

/// Parses an index or a time: decimal digits, [`MOST`] at most.
pub fn counted(digits: &str) -> Option<u64> {
    decimal(digits).filter(|number| *number <= MOST)
}

/// Parses decimal digits and nothing else. (`str::parse` takes a leading plus sign too.)
pub fn decimal(digits: &str) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_an_epoch_and_an_index() {
        // Scripts take an epoch as text. That of a feed is a nonce.
        for (text, epoch, index) in [
            ("17-0", 17, 0),
            ("18446744073709551615-9", u64::MAX, 9),
            ("17-9007199254740991", 17, MOST),
        ] {
            let id: EntryId = text.parse().unwrap();
            assert_eq!((id.epoch.get(), id.index), (epoch, index));
            assert_eq!(id.to_string(), text);
        }
        for text in [
            "",
            "17",
            "-",
            "17-",
            "-1",
            "0-1",
            "17-1-1",
            "+17-1",
            "17-+1",
            "17--1",
            "1e3-1",
            " 17-1",
            "x-1",
            "17-9007199254740992",
            "17-18446744073709551616",
            "18446744073709551616-0",
        ] {
            assert_eq!(text.parse::<EntryId>(), Err(NotAnId), "{text}");
        }
    }
}
