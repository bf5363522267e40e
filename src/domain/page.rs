//! Which messages a pull asks for, and the page that answers it.

use crate::domain::chat::Chat;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field, Result};
use crate::domain::message::Message;
use std::time::Duration;

/// The page size if the client names none, or 0 (as in the original's IDL).
pub const DEFAULT_LIMIT: u16 = 10;

/// The largest page. A client that asks for more receives this many, with a truthful `next`.
pub const MAX_LIMIT: u16 = 1000;

/// A page also ends once its texts have this many bytes. JSON can make six of one (control characters), and a platform may allow
/// answers of 10 MiB.
pub const MAX_PAGE_BYTES: usize = 512 * 1024;

/// The longest that a pull may wait for a message, in seconds.
pub const MAX_WAIT_S: u64 = 30;

/// The most messages of a page: 1 to [`MAX_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit(u16);

impl Limit {
    /// The limit that a client asked for: `None` and 0 mean [`DEFAULT_LIMIT`], more than [`MAX_LIMIT`] means [`MAX_LIMIT`].
    pub fn new(asked: Option<u64>) -> Self {
        match asked {
            None | Some(0) => Self(DEFAULT_LIMIT),
            Some(asked) => Self(u16::try_from(asked).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)),
        }
    }

    /// The number, 1 to [`MAX_LIMIT`].
    pub fn get(self) -> u16 {
        self.0
    }
}

/// What a client sends to pull, each value as it came.
#[derive(Debug, Default)]
pub struct PageFields {
    /// The chat's two names.
    pub chat: String,
    /// The index of the first message, or how many of the newest messages to skip.
    pub cursor: Option<u64>,
    /// The most messages.
    pub limit: Option<u64>,
    /// Whether the newest messages come first.
    pub reverse: Option<bool>,
    /// The index that bounds the page.
    pub before: Option<u64>,
    /// The chat log that the cursor belongs to; 0 means any.
    pub epoch: Option<u64>,
    /// How long to wait, in seconds.
    pub wait: Option<u64>,
}

/// Which part of a chat log a page covers. Only the open end of a log can be waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// Oldest first from `from`. If there is nothing, waits up to `wait` for a message.
    From {
        /// The index of the first message.
        from: u64,
        /// How long to wait: zero to [`MAX_WAIT_S`].
        wait: Duration,
    },
    /// Oldest first from `from`, below `before`.
    Between {
        /// The index of the first message.
        from: u64,
        /// The index that bounds the page.
        before: u64,
    },
    /// Newest first.
    Back {
        /// How many of the newest places to skip.
        skip: u64,
        /// The index that bounds the page.
        before: Option<u64>,
    },
}

/// One pull.
#[derive(Debug, PartialEq)]
pub struct PageRequest {
    /// Whose messages.
    pub chat: Chat,
    /// Which of them.
    pub span: Span,
    /// The most messages to return.
    pub limit: Limit,
    /// The chat log that the cursor belongs to; `None` for any.
    pub epoch: Option<Epoch>,
}

impl PageRequest {
    /// Parses a pull. `wait` has no effect beside `reverse` or `before`, as such a page cannot grow.
    pub fn parse(fields: &PageFields) -> Result<Self> {
        let chat = Chat::parse(&fields.chat)?;
        let seconds = fields.wait.unwrap_or(0);
        if seconds > MAX_WAIT_S {
            let reason = format!("must be a whole number of seconds from 0 to {MAX_WAIT_S}");
            return Err(Error::invalid(Field::Wait, reason));
        }
        let wait = Duration::from_secs(seconds);
        let cursor = fields.cursor.unwrap_or(0);
        let span = match (fields.reverse.unwrap_or(false), fields.before) {
            (true, before) => Span::Back { skip: cursor, before },
            (false, Some(before)) => Span::Between { from: cursor, before },
            (false, None) => Span::From { from: cursor, wait },
        };
        Ok(Self {
            chat,
            span,
            limit: Limit::new(fields.limit),
            epoch: fields.epoch.and_then(Epoch::new),
        })
    }
}

/// How far a chat log reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Which log it is.
    pub epoch: Epoch,
    /// The index of the oldest message.
    pub oldest: u64,
    /// The index of the newest message.
    pub newest: u64,
}

/// Messages that were read from a chat log, and how far it reached then.
#[derive(Debug, PartialEq)]
pub struct Slice {
    /// How far the log reached.
    pub extent: Extent,
    /// The messages, in the order asked for.
    pub messages: Vec<Message>,
}

/// What a pull found, in the order asked for. The default is that of a chat without messages.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// At most [`PageRequest::limit`] messages.
    pub messages: Vec<Message>,
    /// The cursor of the next page; `None` if no more messages match.
    pub next: Option<u64>,
    /// Which log the indexes belong to; `None` if the chat has none.
    pub epoch: Option<Epoch>,
    /// The index of the oldest message that the chat still has; 0 if it has none.
    pub first_index: u64,
}

impl Page {
    /// The page that `slice` makes.
    pub fn new(span: Span, slice: Slice) -> Self {
        let Extent { epoch, oldest, newest } = slice.extent;
        let next = slice.messages.last().and_then(|last| {
            let after = last.index.checked_add(1)?;
            match span {
                Span::From { .. } => (last.index < newest).then_some(after),
                Span::Between { before, .. } => (last.index < newest && after < before).then_some(after),
                // Counts places, not messages: a message removed by hand leaves a hole that a page must not count twice.
                Span::Back { before, .. } => {
                    let end = newest.saturating_add(1).min(before.unwrap_or(u64::MAX));
                    (last.index > oldest).then(|| end.saturating_sub(last.index))
                }
            }
        });
        Self {
            messages: slice.messages,
            next,
            epoch: Some(epoch),
            first_index: oldest,
        }
    }
}

#[cfg(test)]
mod tests;
