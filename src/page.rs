//! Which messages a pull asks for, and the page that it gets.

use crate::chat::Chat;
use crate::error::{Error, Result};
use crate::message::Message;
use std::time::Duration;

/// The page size where the client names none, or 0 (as the original's IDL has it).
pub const DEFAULT_LIMIT: u16 = 10;

/// The largest page; a client that asks for more is served this, with a truthful `next`.
pub const MAX_LIMIT: u16 = 1000;

/// The longest that a pull may wait for a message, in seconds.
pub const MAX_WAIT_S: u64 = 30;

/// How long a pull waits for a message, for what a client asked: none is not at all, and at most [`MAX_WAIT_S`].
pub fn wait(seconds: Option<u64>) -> Result<Duration> {
    match seconds.unwrap_or(0) {
        seconds @ 0..=MAX_WAIT_S => Ok(Duration::from_secs(seconds)),
        _ => Err(Error::field("wait", "must be a whole number of seconds from 0 to 30")),
    }
}

/// The most messages of a page: 1 to [`MAX_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit(u16);

impl Limit {
    /// The limit for what a client asked: none and 0 are [`DEFAULT_LIMIT`], above [`MAX_LIMIT`] is [`MAX_LIMIT`].
    pub fn of(asked: Option<u64>) -> Self {
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

/// The order of a page's messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// The cursor is the index of the first message.
    OldestFirst,
    /// The cursor is how many of the newest messages to skip.
    NewestFirst,
}

/// One pull.
#[derive(Debug, PartialEq)]
pub struct PageRequest {
    /// Whose messages.
    pub chat: Chat,
    /// Where to start, as the order has it.
    pub cursor: u64,
    /// The most messages to return.
    pub limit: Limit,
    /// Which way to go.
    pub order: Order,
    /// Only messages whose index is below it.
    pub before: Option<u64>,
    /// The log that the cursor belongs to, as in [`Page::epoch`]; none or 0 for whichever there is.
    pub epoch: Option<u64>,
    /// How long to wait for a message where the page would be empty: none to [`MAX_WAIT_S`].
    pub wait: Duration,
}

impl PageRequest {
    /// Whether an empty page of this request can come to have messages.
    pub fn can_grow(&self) -> bool {
        self.order == Order::OldestFirst && self.before.is_none()
    }
}

/// How far a chat's log reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Which log it is: the time at which it began, in microseconds since the Unix epoch.
    pub epoch: u64,
    /// The index of the oldest message.
    pub oldest: u64,
    /// The index of the newest message.
    pub newest: u64,
}

/// What a pull found, in the order asked for. The default is what it finds in a chat without messages.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// At most [`PageRequest::limit`] messages.
    pub messages: Vec<Message>,
    /// The cursor of the next page; none where no more messages match.
    pub next: Option<u64>,
    /// Which log the indexes belong to, as in [`Extent`]; 0 where the chat has none.
    pub epoch: u64,
    /// The index of the oldest message that the chat still has; 0 where it has none.
    pub first_index: u64,
}

impl Page {
    /// The page that `messages` make, where the chat reaches as far as `extent` says.
    pub fn new(request: &PageRequest, extent: Extent, messages: Vec<Message>) -> Self {
        let next = messages.last().and_then(|last| match request.order {
            Order::OldestFirst => {
                let after = last.index.checked_add(1)?;
                let in_log = last.index < extent.newest;
                let in_request = request.before.is_none_or(|before| after < before);
                (in_log && in_request).then_some(after)
            }
            Order::NewestFirst => {
                let seen = u64::try_from(messages.len()).ok()?;
                let after = request.cursor.checked_add(seen)?;
                (last.index > extent.oldest).then_some(after)
            }
        });
        Self {
            messages,
            next,
            epoch: extent.epoch,
            first_index: extent.oldest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_never_nothing_and_never_too_much() {
        for (asked, limit) in [
            (None, 10),
            (Some(0), 10),
            (Some(1), 1),
            (Some(999), 999),
            (Some(1000), 1000),
            (Some(1001), 1000),
            (Some(65_536), 1000),
            (Some(u64::MAX), 1000),
        ] {
            assert_eq!(Limit::of(asked).get(), limit, "{asked:?}");
        }
    }

    #[test]
    fn a_wait_is_at_most_half_a_minute() {
        for (asked, seconds) in [(None, 0), (Some(0), 0), (Some(1), 1), (Some(30), 30)] {
            assert_eq!(wait(asked), Ok(Duration::from_secs(seconds)));
        }
        for asked in [31, u64::MAX] {
            assert!(matches!(
                wait(Some(asked)),
                Err(Error::Invalid {
                    field: Some("wait"),
                    ..
                })
            ));
        }
    }

    fn message(index: u64) -> Message {
        Message {
            index,
            sender: "a".into(),
            text: "hi".into(),
            send_time: index,
        }
    }

    /// The next cursor of a page that holds `indexes`, in a chat that has the messages 3 to 9.
    fn next(order: Order, cursor: u64, before: Option<u64>, indexes: &[u64]) -> Option<u64> {
        let request = PageRequest {
            chat: Chat::parse("a:b".into()).unwrap(),
            cursor,
            limit: Limit::of(None),
            order,
            before,
            epoch: None,
            wait: Duration::ZERO,
        };
        let extent = Extent {
            epoch: 17,
            oldest: 3,
            newest: 9,
        };
        Page::new(&request, extent, indexes.iter().copied().map(message).collect()).next
    }

    #[test]
    fn a_forward_page_has_a_next_until_the_newest_or_the_bound() {
        use Order::OldestFirst;
        for (cursor, before, indexes, expected) in [
            (3, None, &[3, 4][..], Some(5)),
            (8, None, &[8, 9], None),
            (10, None, &[], None),
            (0, None, &[3, 4], Some(5)),
            (3, Some(6), &[3, 4], Some(5)),
            (3, Some(5), &[3, 4], None),
            (8, Some(100), &[8, 9], None),
        ] {
            assert_eq!(
                next(OldestFirst, cursor, before, indexes),
                expected,
                "{cursor} {before:?}"
            );
        }
    }

    #[test]
    fn a_reverse_page_has_a_next_until_the_oldest() {
        use Order::NewestFirst;
        for (cursor, before, indexes, expected) in [
            (0, None, &[9, 8][..], Some(2)),
            (2, None, &[7, 6, 5], Some(5)),
            (5, None, &[4, 3], None),
            (7, None, &[], None),
            (0, Some(5), &[4], Some(1)),
            (0, Some(4), &[3], None),
        ] {
            assert_eq!(
                next(NewestFirst, cursor, before, indexes),
                expected,
                "{cursor} {before:?}"
            );
        }
    }
}
