//! Notices: places of a chat log that say what was deleted. A notice is no message.

use crate::domain::member::Member;
use crate::domain::message::Message;

/// A notice in a chat log.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Its own place in the chat log.
    pub index: u64,
    /// When it was written, in microseconds since the Unix epoch: later than every earlier message and notice of the log.
    pub time: u64,
    /// What it says.
    pub deleted: Deleted,
}

/// A message that was deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Deleted {
    /// The place that it had.
    pub index: u64,
    /// When it was sent.
    pub send_time: u64,
    /// Who has deleted it; `None` for the app's own service.
    pub by: Option<Member>,
}

/// What stands at a place of a chat log.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A message.
    Message(Message),
    /// A notice.
    Notice(Notice),
}

impl Item {
    /// Its place in the chat log.
    pub fn index(&self) -> u64 {
        match self {
            Self::Message(message) => message.index,
            Self::Notice(notice) => notice.index,
        }
    }

    /// When it was sent or written.
    pub fn time(&self) -> u64 {
        match self {
            Self::Message(message) => message.send_time,
            Self::Notice(notice) => notice.time,
        }
    }
}
