//! A chat in memory, with the marks of its members.

use serde_json::{Value, json};
use std::collections::HashMap;

struct Message {
    sender: String,
    text: String,
    time: u64,
    removed: bool,
    /// Deleted, or a notice.
    is_hole: bool,
    is_notice: bool,
}

/// A chat, as it should be.
pub(super) struct Chat {
    cap: Option<usize>,
    /// All messages that this log ever had.
    messages: Vec<Message>,
    /// Up to where members have read this log: the next index, and the time of the last message before it.
    marks: HashMap<String, (usize, u64)>,
    /// What members have set: blocked, and muted. It outlives the log.
    sides: HashMap<String, (bool, bool)>,
    /// Positions in logs that were lost.
    lost: Vec<String>,
    /// The last send of this log: sender, text and receipt.
    pub(super) last_sent: Option<(String, String, Value)>,
    /// The time of the last message that was sent.
    pub(super) time: u64,
}

impl Chat {
    pub(super) fn new(cap: Option<usize>) -> Self {
        Self {
            cap,
            messages: Vec::new(),
            marks: HashMap::new(),
            sides: HashMap::new(),
            lost: Vec::new(),
            last_sent: None,
            time: 0,
        }
    }

    pub(super) fn send(&mut self, sender: &str, text: &str, receipt: &Value) {
        assert_eq!(receipt["index"], self.messages.len());
        let time = receipt["send_time"].as_u64().unwrap();
        self.messages.push(Message {
            sender: sender.into(),
            text: text.into(),
            time,
            removed: false,
            is_hole: false,
            is_notice: false,
        });
        // Trimming counts messages, not places.
        let kept: Vec<_> = (0..self.messages.len())
            .filter(|index| !self.messages[*index].removed)
            .collect();
        if let Some(cap) = self.cap {
            for index in &kept[..kept.len().saturating_sub(cap)] {
                self.messages[*index].removed = true;
            }
        }
        self.marks.insert(sender.into(), (self.messages.len(), time));
        self.last_sent = Some((sender.into(), text.into(), receipt.clone()));
        self.time = time;
    }

    /// Removes a message, and returns its id; `None` if it is gone already, or the last one.
    pub(super) fn remove(&mut self, index: usize) -> Option<String> {
        let left = self.messages.iter().filter(|message| !message.removed).count();
        let id = format!("{}-{index}", self.epoch());
        let message = self
            .messages
            .get_mut(index)
            .filter(|message| !message.removed && !message.is_notice && left > 1)?;
        message.removed = true;
        Some(id)
    }

    /// A message that is left, and the log's epoch.
    pub(super) fn message(&self, index: usize) -> Option<(Value, Value)> {
        let message = self
            .messages
            .get(index)
            .filter(|message| !message.removed && !message.is_notice)?;
        Some((
            json!({ "index": index, "send_time": message.time }),
            json!(self.epoch()),
        ))
    }

    /// Deletes a message; its notice came at this time.
    pub(super) fn delete(&mut self, index: usize, time: u64) {
        (self.messages[index].removed, self.messages[index].is_hole) = (true, true);
        self.messages.push(Message {
            sender: String::new(),
            text: String::new(),
            time,
            removed: false,
            is_hole: true,
            is_notice: true,
        });
    }

    pub(super) fn lose(&mut self) {
        if let Some(last) = self.messages.len().checked_sub(1) {
            let position = self.position_of(last + 1, self.messages[last].time);
            self.lost.push(position);
        }
        self.messages.clear();
        self.marks.clear();
        self.last_sent = None;
    }

    /// Whether this member has blocked the other one.
    pub(super) fn is_blocked(&self, member: &str) -> bool {
        self.sides.get(member).is_some_and(|(blocked, _)| *blocked)
    }

    /// Sets what a member wants, and returns all of it; `None` if there is nothing for which it could be set.
    pub(super) fn set(&mut self, member: &str, blocked: bool, value: bool) -> Option<(bool, bool)> {
        if self.messages.is_empty() && self.sides.is_empty() {
            return None;
        }
        let side = self.sides.entry(member.into()).or_default();
        if blocked {
            side.0 = value;
        } else {
            side.1 = value;
        }
        Some(*side)
    }

    pub(super) fn newest(&self) -> Option<usize> {
        self.messages
            .iter()
            .rposition(|message| !message.removed && !message.is_notice)
    }

    fn epoch(&self) -> u64 {
        self.messages.first().map_or(0, |first| first.time)
    }

    fn position_of(&self, next: usize, time: u64) -> String {
        match next.checked_sub(1) {
            None => "0".into(),
            Some(index) => format!("{}-{index}-{time}", self.epoch()),
        }
    }

    /// A position, and whether its log is lost.
    pub(super) fn position(&self, index: usize) -> Option<(String, bool)> {
        if let Some(lost) = self.lost.get(index) {
            return Some((lost.clone(), true));
        }
        let message = self.messages.get(index)?;
        Some((self.position_of(index + 1, message.time), false))
    }

    pub(super) fn read_position(&mut self, reader: &str, position: &str) -> Value {
        let mut numbers = position.split('-').skip(1).map(|number| number.parse::<u64>().unwrap());
        let (index, time) = (numbers.next().unwrap(), numbers.next().unwrap());
        self.mark(reader, usize::try_from(index).unwrap() + 1, time)
    }

    pub(super) fn read_index(&mut self, reader: &str, index: usize) -> Value {
        let Some(newest) = self.messages.iter().rposition(|place| !place.removed) else {
            return json!({ "chat": null, "epoch": 0, "read": 0, "read_position": "0", "unread": 0 });
        };
        let index = index.min(newest);
        let below = self.messages[..=index].iter().rfind(|message| !message.removed);
        let time = below.map_or(0, |message| message.time);
        self.mark(reader, index + 1, time)
    }

    fn mark(&mut self, reader: &str, next: usize, time: u64) -> Value {
        let mark = self.marks.entry(reader.into()).or_default();
        if next > mark.0 {
            *mark = (next, time);
        }
        let (read, time) = *mark;
        let position = self.position_of(read, time);
        json!({ "chat": null, "epoch": self.epoch(), "read": read, "read_position": position, "unread": self.unread(reader) })
    }

    fn unread(&self, reader: &str) -> usize {
        let newest = self.messages.iter().rposition(|place| !place.removed).unwrap();
        let oldest = self.messages.iter().position(|message| !message.removed).unwrap();
        let (read, _) = self.marks.get(reader).copied().unwrap_or_default();
        let unread = self.messages.get(read.max(oldest)..=newest).unwrap_or_default();
        unread.iter().filter(|place| !place.is_hole).count()
    }

    /// The chat in the inbox of `reader`.
    pub(super) fn entry(&self, name: &str, reader: &str, with: &str) -> Value {
        let index = self.newest().unwrap();
        let last = &self.messages[index];
        let mark = |member| {
            let (next, time) = self.marks.get(member).copied().unwrap_or_default();
            (next, self.position_of(next, time))
        };
        let ((read, position), (by_other, position_by_other)) = (mark(reader), mark(with));
        let unread = if reader == with { 0 } else { self.unread(reader) };
        let mut entry = json!({
            "chat": name, "with": with, "epoch": self.epoch(), "unread": unread,
            "last": { "text": last.text, "sender": last.sender, "member": last.sender, "send_time": last.time, "index": index },
            "read": read, "read_position": position,
            "read_by_other": by_other, "read_by_other_position": position_by_other,
        });
        let (blocked, muted) = self.sides.get(reader).copied().unwrap_or_default();
        for (field, value) in [("blocked", blocked), ("muted", muted)] {
            if value {
                entry[field] = json!(true);
            }
        }
        entry
    }
}
