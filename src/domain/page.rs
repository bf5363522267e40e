//! Which messages a pull asks for, and the page that answers it.

use crate::domain::chat::Chat;
use crate::domain::entry_id::{Epoch, MOST};
use crate::domain::error::{Error, Field, Result};
use crate::domain::message::Message;
use crate::domain::notice::{Deleted, Item};
use crate::domain::position::Position;
use crate::domain::slice::{Extent, Slice, json_length};
use std::time::Duration;

/// The page size if the client names none, or 0 (as in the original's IDL).
pub const DEFAULT_LIMIT: u16 = 10;

/// The largest page. A client that asks for more receives this many, with a truthful `next`.
pub const MAX_LIMIT: u16 = 1000;

/// A page also ends once its texts have this many bytes.
pub const MAX_PAGE_BYTES: usize = 512 * 1024;

/// A page also ends before its JSON has more bytes than this.
pub const MAX_PAGE_JSON: usize = 1024 * 1024;

/// The most that a client may ask to wait for a message, in seconds.
pub const MAX_WAIT_S: u64 = 30;

/// The longest that a pull waits, whatever it asks for: platforms may end requests after 30 s.
pub const LONGEST_WAIT: Duration = Duration::from_secs(25);

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
    /// The position after which the page begins, in place of the cursor.
    pub after: Option<String>,
}

/// Which part of a chat log a page covers. Only the open end of a log can be waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// Oldest first from `from`. If there is nothing, waits up to `wait` for a message.
    From {
        /// The index of the first message.
        from: u64,
        /// How long to wait: zero to [`LONGEST_WAIT`].
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

/// What the client knows of the chat log, and the log must confirm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Basis {
    /// Nothing: the cursor counts in whichever log there is.
    Any,
    /// The log's epoch. A forward cursor must lie in that log, or at its end.
    Epoch(Epoch),
    /// The message before the page.
    After(Position),
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
    /// What the chat log must confirm.
    pub basis: Basis,
    /// How many bytes of JSON each message takes to name the chat as the client does.
    pub named: usize,
}

impl PageRequest {
    /// Parses a pull. `wait` has no effect beside `reverse` or `before`, as such a page cannot grow. `after` takes the place of
    /// `cursor` and `epoch`, and cannot stand beside `reverse`.
    pub fn parse(fields: &PageFields) -> Result<Self> {
        let chat = Chat::parse(&fields.chat)?;
        let seconds = fields.wait.unwrap_or(0);
        if seconds > MAX_WAIT_S {
            let reason = format!("must be a whole number of seconds from 0 to {MAX_WAIT_S}");
            return Err(Error::invalid(Field::Wait, reason));
        }
        let wait = Duration::from_secs(seconds).min(LONGEST_WAIT);
        let reverse = fields.reverse.unwrap_or(false);
        let (cursor, basis) = match &fields.after {
            Some(_) if reverse => return Err(Error::invalid(Field::After, "cannot stand beside reverse")),
            Some(after) => {
                let position: Position = after.parse().map_err(|_| {
                    Error::invalid(Field::After, "must be a position from an earlier answer, as it came")
                })?;
                (position.next_index(), Basis::After(position))
            }
            None => {
                let epoch = fields.epoch.and_then(Epoch::new);
                let cursor = fields.cursor.unwrap_or(0).min(MOST);
                (cursor, epoch.map_or(Basis::Any, Basis::Epoch))
            }
        };
        let span = match (reverse, fields.before.map(|before| before.min(MOST))) {
            (true, before) => Span::Back { skip: cursor, before },
            (false, Some(before)) => Span::Between { from: cursor, before },
            (false, None) => Span::From { from: cursor, wait },
        };
        Ok(Self {
            chat,
            span,
            limit: Limit::new(fields.limit),
            basis,
            named: json_length(&fields.chat),
        })
    }
}

/// What a pull found, in the order asked for.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// At most [`PageRequest::limit`] messages.
    pub messages: Vec<Message>,
    /// What was deleted after the position that the request came with.
    pub deleted: Vec<Deleted>,
    /// The cursor of the next page; `None` if no more messages match.
    pub next: Option<u64>,
    /// Which log the indexes belong to; `None` if the chat has none.
    pub epoch: Option<Epoch>,
    /// The index of the oldest message that the chat still has; 0 if it has none.
    pub first_index: u64,
    /// The position of the page's highest message, or, if the page is empty, the one that the request came with or the end of the chat
    /// log. A client that had everything before this page has everything up to here. `None` if the page is empty and neither is known.
    pub position: Option<Position>,
}

impl Page {
    /// The page that `slice` makes.
    pub fn new(span: Span, basis: Basis, slice: Option<Slice>) -> Self {
        let position = match basis {
            Basis::After(position) => Some(position),
            Basis::Any | Basis::Epoch(_) => None,
        };
        let Some(Slice { extent, items, far, .. }) = slice else {
            return Self {
                messages: Vec::new(),
                deleted: Vec::new(),
                next: None,
                epoch: None,
                first_index: 0,
                position: position.or(Some(Position::Start)),
            };
        };
        let Extent {
            epoch,
            oldest,
            newest,
            newest_time,
        } = extent;
        let next = items.last().and_then(|last| {
            let (last, far) = (last.index(), far?);
            let after = last.checked_add(1)?;
            match span {
                Span::From { .. } | Span::Between { .. } => (last < far).then_some(after),
                // Counts places, not messages: a hole must not be counted twice.
                Span::Back { before, .. } => {
                    let end = newest.saturating_add(1).min(before.unwrap_or(u64::MAX));
                    (last > far).then(|| end.saturating_sub(last))
                }
            }
        });
        let at = |item: &Item| Position::after(epoch, item.index(), item.time());
        let end = Position::after(epoch, newest, newest_time);
        let (of_highest, at_end) = match span {
            Span::From { from, .. } => {
                // All that is above the last message is notices.
                let has_more = |last: &&Item| far.is_some_and(|far| last.index() < far);
                let of_last = items.last().map(|last| if has_more(&last) { at(last) } else { end });
                (of_last, far.is_none_or(|far| far < from))
            }
            Span::Between { from, .. } => (items.last().map(at), from > newest),
            Span::Back { .. } => (items.first().map(at), false),
        };
        let of_newest = at_end.then_some(end);
        let (mut messages, mut deleted) = (Vec::new(), Vec::new());
        for item in items {
            match item {
                Item::Message(message) => messages.push(message),
                Item::Notice(notice) => deleted.push(notice.deleted),
            }
        }
        Self {
            next,
            epoch: Some(epoch),
            first_index: oldest,
            position: of_highest.or(position).or(of_newest),
            messages,
            deleted,
        }
    }
}

#[cfg(test)]
mod tests;
