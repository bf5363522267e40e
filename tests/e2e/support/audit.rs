//! What became of acknowledged messages: lost, doubled, out of order, or as they should be.

use super::Confab;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::ops::AddAssign;

/// A message that a client was told is stored. Its text is like no other's.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) chat: String,
    pub(crate) text: String,
    pub(crate) receipt: Value,
}

/// The figures of what was acknowledged and what is stored.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    pub(crate) acknowledged: usize,
    /// All messages that there are, acknowledged or not.
    pub(crate) stored: usize,
    /// Acknowledged, and not there.
    pub(crate) lost: usize,
    /// There more than once.
    pub(crate) doubled: usize,
    /// Not where the receipt says; or after a gap, or not later than the one before; or elsewhere in a walk the other way.
    pub(crate) out_of_order: usize,
}

impl Audit {
    /// Compares what was acknowledged with what is stored in its chats, walked in both directions.
    pub(crate) async fn of(confab: &Confab, acknowledged: &[Acknowledged]) -> Self {
        let mut chats: HashMap<&str, Vec<&Acknowledged>> = HashMap::new();
        for message in acknowledged {
            chats.entry(&message.chat).or_default().push(message);
        }
        let mut audit = Self::default();
        for (chat, acknowledged) in chats {
            let stored = walk(confab, json!({ "chat": chat, "limit": 1000 })).await;
            let mut backwards = walk(confab, json!({ "chat": chat, "limit": 999, "reverse": true })).await;
            backwards.reverse();
            audit += Self::of_chat(&acknowledged, &stored, &backwards);
        }
        audit
    }

    fn of_chat(acknowledged: &[&Acknowledged], stored: &[Value], backwards: &[Value]) -> Self {
        let mut by_text: HashMap<&str, Vec<&Value>> = HashMap::new();
        for message in stored {
            by_text
                .entry(message["text"].as_str().unwrap())
                .or_default()
                .push(message);
        }
        let mut audit = Self {
            acknowledged: acknowledged.len(),
            stored: stored.len(),
            doubled: by_text.values().map(|same| same.len() - 1).sum(),
            ..Self::default()
        };
        for message in acknowledged {
            let found = by_text.get(message.text.as_str()).map_or(&[][..], Vec::as_slice);
            let in_place = |found: &&Value| {
                found["index"] == message.receipt["index"] && found["send_time"] == message.receipt["send_time"]
            };
            if found.is_empty() {
                audit.lost += 1;
            } else if !found.iter().any(in_place) {
                audit.out_of_order += 1;
            }
        }
        let mut last_time = 0;
        for (place, message) in stored.iter().enumerate() {
            let time = message["send_time"].as_u64().unwrap();
            if message["index"] != place || time <= last_time || backwards.get(place) != Some(message) {
                audit.out_of_order += 1;
            }
            last_time = time;
        }
        audit
    }

    /// Fails unless every acknowledged message is there exactly once and in its place.
    pub(crate) fn assert_clean(&self) {
        assert_eq!((self.lost, self.doubled, self.out_of_order), (0, 0, 0), "{self}");
    }
}

impl AddAssign for Audit {
    fn add_assign(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.stored += other.stored;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.out_of_order += other.out_of_order;
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "{} acknowledged, {} stored, {} lost, {} doubled, {} out of order",
            self.acknowledged, self.stored, self.lost, self.doubled, self.out_of_order
        )
    }
}

/// All messages from `request` on, page after page.
pub(crate) async fn walk(confab: &Confab, mut request: Value) -> Vec<Value> {
    let mut messages = Vec::new();
    loop {
        let mut page = confab.pull(request.clone()).await.ok();
        let Value::Array(found) = page["messages"].take() else {
            panic!("{page}");
        };
        messages.extend(found);
        let Some(next) = page.get("next_cursor") else {
            return messages;
        };
        request["cursor"] = next.clone();
        request["epoch"] = page["epoch"].clone();
    }
}
