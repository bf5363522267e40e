//! What the store found of a chat log.

use crate::domain::entry_id::Epoch;
use crate::domain::message::Message;
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

/// Messages that were read from a chat log, and how far it reached then.
#[derive(Debug, PartialEq)]
pub struct Slice {
    /// How far the log reached.
    pub extent: Extent,
    /// The messages, in the order asked for.
    pub messages: Vec<Message>,
}

/// The answer of the store to a request that may know something of the chat log.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// The log confirms what the request knows. `None` if the chat has no messages.
    Slice(Option<Slice>),
    /// It does not.
    Reset(Reset),
}
