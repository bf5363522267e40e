//! Compares acknowledged messages with stored ones: lost, doubled, out of order, or right.

use crate::Confab;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::ops::AddAssign;

/// A message that a client sent and got a receipt for. Its text is like no other's.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The chat, as the client wrote it.
    pub chat: String,
    /// The text.
    pub text: String,
    /// The answer to the send.
    pub receipt: Value,
}

impl Acknowledged {
    /// A message of `chat` with its receipt.
    pub fn new(chat: &str, text: String, receipt: Value) -> Self {
        let chat = chat.to_owned();
        Self { chat, text, receipt }
    }
}

/// How many messages were acknowledged, and what became of them.
#[derive(Debug, Default)]
pub struct Audit {
    /// Messages that were acknowledged.
    pub acknowledged: usize,
    /// Stored messages, acknowledged or not.
    pub stored: usize,
    /// Acknowledged but not stored.
    pub lost: usize,
    /// Stored more than once.
    pub doubled: usize,
    /// Not at the place in the receipt, after a gap, not later than the message before, or at another place in a reverse walk.
    pub out_of_order: usize,
}

impl Audit {
    /// Walks through the chats of the acknowledged messages in both directions, and compares.
    pub async fn of(confab: &Confab, acknowledged: &[Acknowledged]) -> Self {
        let mut chats: HashMap<&str, Vec<&Acknowledged>> = HashMap::new();
        for message in acknowledged {
            chats.entry(&message.chat).or_default().push(message);
        }
        let mut audit = Self::default();
        for (chat, acknowledged) in chats {
            let stored = confab.walk(json!({ "chat": chat, "limit": 1000 })).await;
            let mut backwards = confab
                .walk(json!({ "chat": chat, "limit": 999, "reverse": true }))
                .await;
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

    /// Fails unless every acknowledged message is stored exactly once, at its place.
    #[track_caller]
    pub fn assert_clean(&self) {
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
