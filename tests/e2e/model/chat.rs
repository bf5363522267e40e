//! A chat in memory, and the answers that it should give.

use serde_json::{Value, json};
use std::collections::HashMap;

/// A place of the chat's log.
struct Place {
    /// The message, as a pull returns it; `None` for a notice.
    message: Option<Value>,
    time: u64,
    /// Whether the log still has it.
    kept: bool,
}

/// A chat, as it should be.
#[derive(Default)]
pub(super) struct Chat {
    places: Vec<Place>,
    /// What was sent with a key, by member and key: the text, and the body of the answer.
    pub(super) sent: HashMap<(bool, u8), (u8, Vec<u8>)>,
}

impl Chat {
    /// The index of the next message or notice.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// When the newest message or notice came.
    pub(super) fn newest_time(&self) -> u64 {
        self.places.last().map_or(0, |place| place.time)
    }

    pub(super) fn send(&mut self, message: Value, cap: Option<usize>) {
        let time = message["send_time"].as_u64().unwrap();
        self.push(Some(message), time);
        let kept: Vec<_> = self.kept().collect();
        if let Some(cap) = cap {
            // A cap counts notices too.
            for index in &kept[..kept.len().saturating_sub(cap)] {
                self.places[*index].kept = false;
            }
        }
    }

    /// The message at a place, if it is left.
    pub(super) fn message(&self, index: usize) -> Option<&Value> {
        let place = self.places.get(index).filter(|place| place.kept)?;
        place.message.as_ref()
    }

    /// Deletes a message; its notice came at this time.
    pub(super) fn delete(&mut self, index: usize, time: u64) {
        self.places[index].kept = false;
        self.push(None, time);
    }

    fn push(&mut self, message: Option<Value>, time: u64) {
        assert!(time > self.newest_time());
        self.places.push(Place {
            message,
            time,
            kept: true,
        });
    }

    fn kept(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.places.len()).filter(|index| self.places[*index].kept)
    }

    /// All messages that are left.
    pub(super) fn messages(&self) -> Vec<Value> {
        self.kept().filter_map(|index| self.message(index).cloned()).collect()
    }

    /// The epoch of the log; 0 if the chat is empty.
    pub(super) fn epoch(&self) -> Value {
        json!(self.places.first().map_or(0, |first| first.time))
    }

    /// The expected answer to a pull.
    pub(super) fn page(&self, cursor: u64, limit: u64, reverse: bool, before: Option<u64>) -> Value {
        let limit = if limit == 0 {
            10
        } else {
            usize::try_from(limit).unwrap()
        };
        let cursor = usize::try_from(cursor).unwrap();
        let end = before.map_or(self.len(), |before| usize::try_from(before).unwrap().min(self.len()));
        let mut matching: Vec<_> = self
            .kept()
            .filter(|index| *index < end && self.message(*index).is_some())
            .collect();
        if reverse {
            // Cursors count places.
            matching.retain(|index| index + cursor < end);
            matching.reverse();
        } else {
            matching.retain(|index| *index >= cursor);
        }
        let page: Vec<_> = matching.iter().copied().take(limit).collect();
        let messages: Vec<_> = page.iter().map(|index| self.message(*index)).collect();
        let mut answer = json!({ "messages": messages, "epoch": self.epoch() });
        let has_more = matching.len() > limit;
        if let Some(last) = page.last().filter(|_| has_more) {
            answer["has_more"] = json!(true);
            answer["next_cursor"] = json!(if reverse { end - last } else { last + 1 });
        }
        let highest = if reverse { page.first() } else { page.last() };
        let is_open = !reverse && before.is_none();
        // At its open end, a page passes the notices that are left.
        let at_end = (is_open && !has_more) || (!reverse && cursor >= self.len());
        let place = if at_end {
            self.len().checked_sub(1)
        } else {
            highest.copied()
        };
        if let Some(index) = place {
            answer["position"] = json!(format!("{}-{index}-{}", self.epoch(), self.places[index].time));
        } else if self.places.is_empty() {
            answer["position"] = json!("0");
        }
        if let Some(first) = self.kept().next().filter(|first| *first > 0) {
            answer["first_index"] = json!(first);
        }
        answer
    }
}
