//! A chat in memory, and the answers that it should give.

use serde_json::{Value, json};
use std::collections::HashMap;

/// A chat, as it should be.
#[derive(Default)]
pub(super) struct Chat {
    /// All messages that this log ever had, as a pull returns them.
    pub(super) messages: Vec<Value>,
    /// What was sent with a key, by member and key: the text, and the body of the answer.
    pub(super) sent: HashMap<(bool, u8), (u8, Vec<u8>)>,
}

impl Chat {
    /// The lowest index that a chat with this cap still has.
    pub(super) fn first_kept(&self, cap: Option<usize>) -> usize {
        cap.map_or(0, |cap| self.messages.len().saturating_sub(cap))
    }

    /// The epoch of the log; 0 if the chat is empty.
    pub(super) fn epoch(&self) -> Value {
        self.messages
            .first()
            .map_or(json!(0), |first| first["send_time"].clone())
    }

    /// The expected answer to a pull.
    pub(super) fn page(
        &self,
        cap: Option<usize>,
        cursor: u64,
        limit: u64,
        reverse: bool,
        before: Option<u64>,
    ) -> Value {
        let first = self.first_kept(cap);
        let limit = if limit == 0 {
            10
        } else {
            usize::try_from(limit).unwrap()
        };
        let cursor = usize::try_from(cursor).unwrap();
        let end = before.map_or(self.messages.len(), |before| {
            usize::try_from(before).unwrap().min(self.messages.len())
        });
        let mut matching: Vec<_> = (first..end).collect();
        if reverse {
            matching.reverse();
            matching.drain(..cursor.min(matching.len()));
        } else {
            matching.retain(|index| *index >= cursor);
        }
        let page: Vec<_> = matching
            .iter()
            .take(limit)
            .map(|index| &self.messages[*index])
            .collect();
        let mut answer = json!({ "messages": page, "epoch": self.epoch() });
        if matching.len() > limit {
            answer["has_more"] = json!(true);
            answer["next_cursor"] = json!(if reverse { cursor + limit } else { matching[limit] });
        }
        let highest = if reverse { page.first() } else { page.last() };
        let at_end = page.is_empty() && !reverse && cursor >= self.messages.len();
        if let Some(last) = highest.copied().or(self.messages.last().filter(|_| at_end)) {
            let (index, time) = (&last["index"], &last["send_time"]);
            answer["position"] = json!(format!("{}-{index}-{time}", self.epoch()));
        } else if self.messages.is_empty() {
            answer["position"] = json!("0");
        }
        if first > 0 {
            answer["first_index"] = json!(first);
        }
        answer
    }
}
