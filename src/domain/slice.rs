//! What the store found of a chat log.

use crate::domain::entry_id::Epoch;
use crate::domain::notice::Item;
use crate::domain::position::Reset;

/// How far a chat log reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Which log it is.
    pub epoch: Epoch,
    /// The index of the oldest message.
    pub oldest: u64,
    /// The index of the newest message.
    pub newest: u64,
    /// Its `send_time`.
    pub newest_time: u64,
}

impl Extent {
    /// How many places it has, from the oldest message to the newest: as many messages, if none between them was removed.
    pub fn places(&self) -> u64 {
        self.newest.saturating_sub(self.oldest).saturating_add(1)
    }
}

/// What was read from a chat log, and how far it reached then.
#[derive(Debug, PartialEq)]
pub struct Slice {
    /// How far the log reached.
    pub extent: Extent,
    /// What stands there, in the order asked for. Notices are among it only if they were asked for.
    pub items: Vec<Item>,
    /// The last place in that order that may have one more; `None` if there is none.
    pub far: Option<u64>,
    /// Those items before which all that is missing was deleted, by their indexes.
    pub told: Vec<u64>,
}

/// How much of JSON a message takes besides its chat, sender and text, and a page besides its messages: a little less.
const MESSAGE_JSON: usize = 100;
const PAGE_JSON: usize = 512;

impl Slice {
    /// Whether something is missing from `next` on that was neither trimmed nor deleted.
    pub fn has_gap(&self, next: u64) -> bool {
        let mut next = next.max(self.extent.oldest);
        self.items.iter().any(|item| {
            let is_gap = item.index() > next && !self.told.contains(&item.index());
            next = item.index().saturating_add(1);
            is_gap
        })
    }

    /// The slice without the messages that would make its JSON larger than `most` bytes, if each message takes `named` bytes to name its
    /// chat. There is one at least.
    #[must_use]
    pub fn within(mut self, most: usize, named: usize) -> Self {
        let each = named.saturating_add(MESSAGE_JSON);
        let mut bytes = PAGE_JSON;
        let mut fits = |item: &Item| {
            let Item::Message(message) = item else {
                bytes = bytes.saturating_add(each);
                return bytes <= most;
            };
            let said = json_length(&message.text).saturating_add(json_length(&message.sender));
            let said = said.saturating_add(message.data.as_ref().map_or(0, |data| data.as_str().len()));
            bytes = bytes.saturating_add(said).saturating_add(each);
            bytes <= most
        };
        let fitting = self.items.iter().map_while(|item| fits(item).then_some(())).count();
        self.items.truncate(fitting.max(1));
        self
    }
}

/// How many bytes a text has in JSON: six for most control characters, two for the others, quotes and backslashes.
pub fn json_length(text: &str) -> usize {
    let length = |byte: u8| match byte {
        b'"' | b'\\' | 8..=10 | 12 | 13 => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

/// The answer of the store to a request that may know something of the chat log.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// The log confirms what the request knows. `None` if the chat has no messages.
    Slice(Option<Slice>),
    /// It does not.
    Reset(Reset),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::Message;

    #[test]
    fn a_text_is_as_long_in_json_as_serde_writes_it() {
        for text in ["", "hi", "\"\\/", "é\u{2028}😀\u{7f}"]
            .into_iter()
            .map(str::to_owned)
            .chain((0..0x80).map(|byte: u8| char::from(byte).to_string()))
        {
            let written = serde_json::to_string(&text).unwrap();
            assert_eq!(json_length(&text).saturating_add(2), written.len(), "{text:?}");
        }
    }

    #[test]
    fn a_slice_ends_before_its_json_is_too_large_but_is_never_empty() {
        let kept = |texts: &[&str], most, named| {
            let message = |text: &&str| Message {
                index: 0,
                sender: "a".into(),
                text: (*text).into(),
                data: None,
                send_time: 17,
            };
            let extent = Extent {
                epoch: Epoch::new(17).unwrap(),
                oldest: 0,
                newest: 9,
                newest_time: 26,
            };
            let items = texts.iter().map(message).map(Item::Message).collect();
            let slice = Slice {
                extent,
                items,
                far: Some(9),
                told: Vec::new(),
            };
            slice.within(most, named).items.len()
        };
        for (texts, most, named, expected) in [
            (&["x", "x", "x"][..], 10_000, 0, 3),
            (&["x", "x", "x"], 512 + 2 * 102, 0, 2),
            (&["x", "x", "x"], 512 + 2 * 102, 1, 1),
            (&["\u{1}", "x", "x"], 512 + 2 * 102, 0, 1),
            (&["x", "x"], 0, 0, 1),
            (&[], 0, 0, 0),
        ] {
            assert_eq!(kept(texts, most, named), expected, "{texts:?} {most} {named}");
        }
    }
}
