//! Why a request failed, and what each door says of it.

use crate::bindings::exports::confab::messaging::messenger as wit;
use spin_sdk::http::StatusCode;

/// A result whose error is the crate's one [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every way in which a send or a pull can fail.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The caller's values are wrong; nothing was stored. `reason` is for the caller.
    #[error("{reason}")]
    Invalid {
        /// The field at fault, where it is one.
        field: Option<&'static str>,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A value is larger than `limit` bytes; nothing was stored.
    #[error("{what} is over the limit of {limit} bytes")]
    TooLarge {
        /// The field, or `body`.
        what: &'static str,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The idempotency key belongs to a message with another text; nothing was stored.
    #[error("the idempotency key was used for another text")]
    KeyReused,
    /// The log that the cursor belongs to is gone; the chat's log is now another.
    #[error("the messages that the cursor counts are gone")]
    Gone {
        /// Which log there is now, as in [`crate::page::Page::epoch`].
        epoch: u64,
    },
    /// Redis refused, dropped the connection or did not answer in time. The cause is for the log alone.
    #[error("Redis is unavailable: {0}")]
    Unavailable(String),
    /// A defect, a wrong setting or unreadable stored data. The cause is for the log alone.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// The mistake of one field.
    pub fn field(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field: Some(field),
            reason: reason.into(),
        }
    }

    /// Prints a failure that is not the caller's to standard error, which the host keeps as the component's log.
    pub fn log(&self) {
        match self {
            Self::Invalid { .. } | Self::TooLarge { .. } | Self::KeyReused | Self::Gone { .. } => {}
            Self::Unavailable(_) | Self::Internal(_) => {
                // In one write, so that the lines of several instances do not mix.
                let line = format!("confab: {self}\n");
                eprint!("{line}");
            }
        }
    }

    /// The status that the HTTP door answers with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Gone { .. } => StatusCode::GONE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// The case that the WIT door answers with.
impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid { field, reason } => Self::Invalid(wit::Invalid {
                field: field.map(str::to_owned),
                reason,
            }),
            Error::TooLarge { .. } => Self::TooLarge(error.to_string()),
            Error::KeyReused => Self::KeyReused,
            Error::Gone { epoch } => Self::Gone(epoch),
            Error::Unavailable(_) => Self::Unavailable,
            Error::Internal(_) => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_doors_tell_the_caller_only_of_the_callers_mistakes() {
        let secret = || "redis://user:password@host".to_owned();
        for (error, status, told) in [
            (Error::field("text", "must not be empty"), 400, "must not be empty"),
            (
                Error::TooLarge {
                    what: "text",
                    limit: 65_536,
                },
                413,
                "65536",
            ),
            (Error::KeyReused, 422, "KeyReused"),
            (Error::Gone { epoch: 17 }, 410, "17"),
            (Error::Unavailable(secret()), 503, ""),
            (Error::Internal(secret()), 500, ""),
        ] {
            assert_eq!(error.status(), status, "{error:?}");
            let wit = format!("{:?}", wit::Error::from(error));
            assert!(wit.contains(told) && !wit.contains("password"), "{wit}");
        }
    }
}
