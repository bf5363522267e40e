//! Why a request failed, without a word about how a transport reports it.

use crate::domain::cause::Cause;
use crate::domain::entry_id::Epoch;
use crate::domain::quota::Allowance;
use crate::domain::refusal::Refusal;
use std::fmt;
use std::time::Duration;

/// A result whose error is the crate's one [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A value that a caller sends. Each transport has its own name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The chat's two names.
    Chat,
    /// What is said.
    Text,
    /// What the message has besides its text.
    Data,
    /// Who says it.
    Sender,
    /// Where a page or a stream begins.
    Cursor,
    /// The most messages of a page.
    Limit,
    /// Whether the newest messages come first.
    Reverse,
    /// The index that bounds a page.
    Before,
    /// Which chat log the cursor belongs to.
    Epoch,
    /// How long an empty page waits for a message.
    Wait,
    /// The caller's own name for one message.
    IdempotencyKey,
    /// The position after which a page begins.
    After,
    /// Whose inbox, or who has read.
    Name,
    /// The position up to which a chat is read.
    Position,
    /// The index up to which it is, or the place of a message.
    Index,
    /// When a message was sent.
    SendTime,
    /// Whether the other member may not send.
    Blocked,
    /// Whether the member wants to hear nothing of a chat.
    Muted,
    /// Whether persons may send in a chat.
    Open,
    /// Whether only what the person has sent is asked for.
    Own,
    /// The id of the last server-sent event that the client received.
    LastEventId,
    /// On whose behalf a trusted component calls.
    Caller,
}

/// What a request that Redis failed has stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It was not to store anything.
    NotAsked,
    /// It has stored nothing.
    No,
    /// It has stored all or nothing; nobody can tell which.
    Unknown,
}

/// Every way in which a request can fail.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nothing proves who calls: no token was sent, or one that is refused; nothing was stored.
    #[error("{}", .0.as_ref().map_or_else(|| "a bearer token is required".to_owned(), ToString::to_string))]
    Unauthenticated(Option<Refusal>),
    /// More than one token was sent; nothing was stored.
    #[error("the request must have only one token")]
    TwoTokens,
    /// The caller is known, and may not do this; nothing was stored.
    #[error("{reason}")]
    Forbidden {
        /// The field that names what the caller may not have.
        field: Field,
        /// What the caller may have.
        reason: &'static str,
    },
    /// It is only for callers who are proven, and this deployment asks nobody who they are; nothing was stored.
    #[error(
        "this needs auth = required: an open deployment asks nobody who they are, and anybody could do it to anybody"
    )]
    Unproven,
    /// The caller's values are wrong; nothing was stored. `reason` is for the caller.
    #[error("{reason}")]
    Invalid {
        /// The field at fault, or `None` if the request as a whole is.
        field: Option<Field>,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A field, or the whole request if `field` is `None`, is larger than `limit` bytes; nothing was stored.
    #[error("over the limit of {limit} bytes")]
    TooLarge {
        /// The field at fault.
        field: Option<Field>,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body did not arrive within this time; nothing was stored.
    #[error("the body did not arrive within {} ms", .0.as_millis())]
    SlowBody(Duration),
    /// The body is compressed, or encoded in another way; nothing was stored.
    #[error("the body must have no content encoding")]
    UnsupportedEncoding,
    /// The idempotency key belongs to a message with another text; nothing was stored.
    #[error("the idempotency key was used for another text")]
    KeyReused,
    /// The other member has blocked the sender; nothing was stored.
    #[error("the other member of the chat does not take messages from the sender")]
    Blocked,
    /// Persons may send only in chats that the service has opened, and this one is not open; nothing was stored.
    #[error("the chat is not open: the app's own service has to open it first")]
    NotOpen,
    /// The chat has no messages, and so nothing can be set for it; nothing was stored.
    #[error("the chat has no messages")]
    NoMessages,
    /// The place that the caller names has another message, or a notice; nothing was deleted.
    #[error("another message has that index")]
    OtherMessage,
    /// The chat log has more places than deletions are possible in; nothing was deleted.
    #[error("the chat has too many messages for single ones to be deleted")]
    TooManyPlaces,
    /// The caller has sent as many messages as the quota allows; nothing was stored.
    #[error(
        "no more than {} messages may be sent in {} s; one more may in {} s",
        .0.quota.limit(), .0.quota.window_s(), .0.more_in_s
    )]
    TooManySends(Allowance),
    /// The caller has as many streams and waiting pulls as are allowed.
    #[error("no more than {limit} streams and waiting pulls may be open at once")]
    TooManyStreams {
        /// How many are.
        limit: u64,
        /// After how many seconds there may be one less: those that were closed are noticed by then.
        retry_after_s: u64,
    },
    /// The caller has as many exports as are allowed.
    #[error("no more than {limit} exports may run at once")]
    TooManyExports {
        /// How many are.
        limit: u64,
        /// After how many seconds there may be one less: those that were closed are noticed by then.
        retry_after_s: u64,
    },
    /// The chat log does not confirm the client's cursor or position.
    #[error("the chat log has lost what the client has from index {index} on; continue there")]
    Gone {
        /// The epoch of the chat's log today; `None` if it has none.
        epoch: Option<Epoch>,
        /// What the client has from this index on, was lost.
        index: u64,
    },
    /// Redis refused, dropped the connection or did not answer in time.
    #[error("Redis is unavailable: {cause}")]
    Unavailable {
        /// What happened, for the server log alone.
        cause: String,
        /// What the request has stored.
        stored: Stored,
    },
    /// Redis is older than the oldest version that confab works with, 7.0.
    #[error("Redis {} is too old; confab needs 7.0 or later", .version.map(|part| part.to_string()).join("."))]
    OldRedis {
        /// Its major and minor version.
        version: [u32; 2],
    },
    /// A defect, a wrong setting or unreadable stored data. The cause is for the server log alone.
    #[error("internal error: {0}")]
    Internal(Cause),
}

impl Error {
    /// An error of one field.
    pub fn invalid(field: Field, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field: Some(field),
            reason: reason.into(),
        }
    }

    /// An internal error with this cause.
    pub fn internal(cause: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        anyhow::Error::msg(cause).into()
    }

    /// The error of a request that Redis failed for this cause.
    pub fn unavailable(cause: impl Into<String>, stored: Stored) -> Self {
        let cause = cause.into();
        Self::Unavailable { cause, stored }
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error.into())
    }
}
