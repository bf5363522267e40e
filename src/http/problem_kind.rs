//! The kinds of problems: one table of status, type and title, and which error is of which kind.

use crate::domain::error::Error;

/// A kind of problem. Its type is what clients may compare, and never changes.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) status: u16,
    pub(super) name: &'static str,
    pub(super) title: &'static str,
}

/// Writes each kind as a constant, and all of them as `KINDS`.
macro_rules! kinds {
    ($($constant:ident = $status:literal $name:literal $title:literal;)+) => {
        $(pub(super) const $constant: Kind = Kind { status: $status, name: $name, title: $title };)+

        #[cfg(test)]
        pub(super) const KINDS: &[Kind] = &[$($constant),+];
    };
}

kinds! {
    INVALID = 400 "/problems/invalid" "The request is not valid";
    UNAUTHENTICATED = 401 "/problems/unauthenticated" "The caller is not known";
    FORBIDDEN = 403 "/problems/forbidden" "The caller may not do this";
    BLOCKED = 403 "/problems/blocked" "The other member takes no messages";
    NOT_OPEN = 403 "/problems/not-open" "The chat is not open";
    NOT_FOUND = 404 "/problems/not-found" "No such path";
    METHOD_NOT_ALLOWED = 405 "/problems/method-not-allowed" "Method not allowed";
    SLOW_BODY = 408 "/problems/slow-body" "The body took too long";
    NO_MESSAGES = 409 "/problems/no-messages" "The chat has no messages";
    OTHER_MESSAGE = 409 "/problems/other-message" "Another message is there";
    TOO_MANY_PLACES = 409 "/problems/too-many-places" "The chat is too long";
    GONE = 410 "/problems/gone" "Cursor expired";
    TOO_LARGE = 413 "/problems/too-large" "The request is too large";
    UNSUPPORTED_ENCODING = 415 "/problems/unsupported-encoding" "The content encoding is not supported";
    KEY_REUSED = 422 "/problems/key-reused" "Idempotency key already used";
    TOO_MANY = 429 "/problems/too-many" "Too many at once";
    INTERNAL = 500 "/problems/internal" "Internal error";
    UNAVAILABLE = 503 "/problems/unavailable" "The store is unavailable";
    OLD_REDIS = 503 "/problems/old-redis" "Redis is too old";
}

/// The kind of an error.
pub(super) fn kind_of(error: &Error) -> Kind {
    match error {
        Error::TwoTokens | Error::Invalid { .. } => INVALID,
        Error::Unauthenticated(_) => UNAUTHENTICATED,
        Error::Forbidden { .. } | Error::Unproven => FORBIDDEN,
        Error::Blocked => BLOCKED,
        Error::NotOpen => NOT_OPEN,
        Error::NoMessages => NO_MESSAGES,
        Error::OtherMessage => OTHER_MESSAGE,
        Error::TooManyPlaces => TOO_MANY_PLACES,
        Error::SlowBody(_) => SLOW_BODY,
        Error::Gone { .. } => GONE,
        Error::TooLarge { .. } => TOO_LARGE,
        Error::UnsupportedEncoding => UNSUPPORTED_ENCODING,
        Error::KeyReused => KEY_REUSED,
        Error::TooManySends(_) | Error::TooManyStreams { .. } | Error::TooManyExports { .. } => TOO_MANY,
        Error::Internal(_) => INTERNAL,
        Error::Unavailable { .. } => UNAVAILABLE,
        Error::OldRedis { .. } => OLD_REDIS,
    }
}
