//! Failures as HTTP clients receive them: `application/problem+json` (RFC 9457).

use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field, Stored};
use crate::http::challenge;
use crate::http::field::name_of;
use crate::http::problem_kind::{FORBIDDEN, Kind, METHOD_NOT_ALLOWED, NOT_FOUND, kind_of};
use crate::http::rate_limit;
use crate::http::response::{Response, json, whole};
use serde::Serialize;
use std::borrow::Cow;

/// What went wrong this time, without any cause that is not the client's.
fn detail_of(error: &Error) -> Cow<'_, str> {
    match error {
        Error::Forbidden { field, reason } => format!("{} {reason}", name_of(*field)).into(),
        Error::Invalid {
            field: Some(field),
            reason,
        } => format!("{} {reason}", name_of(*field)).into(),
        Error::Invalid { field: None, reason } => reason.into(),
        Error::TooLarge { field, .. } => format!("{} is {error}", field.map_or("body", name_of)).into(),
        Error::Unavailable { stored, .. } => match stored {
            Stored::NotAsked => "The messages could not be reached. Try again.",
            Stored::No => "Nothing was stored. Try again.",
            Stored::Unknown => {
                "Nobody can tell whether it is stored. Try again: what has an Idempotency-Key is stored only once."
            }
        }
        .into(),
        Error::Internal(_) => "The cause is in the server log.".into(),
        Error::Unauthenticated(_)
        | Error::TwoTokens
        | Error::SlowBody(_)
        | Error::UnsupportedEncoding
        | Error::KeyReused
        | Error::Blocked
        | Error::NotOpen
        | Error::NoMessages
        | Error::OtherMessage
        | Error::TooManyPlaces
        | Error::TooManySends(_)
        | Error::TooManyStreams { .. }
        | Error::TooManyExports { .. }
        | Error::Unproven
        | Error::Gone { .. }
        | Error::OldRedis { .. } => error.to_string().into(),
    }
}

/// The field that is at fault.
fn field_of(error: &Error) -> Option<Field> {
    match error {
        Error::Invalid { field, .. } | Error::TooLarge { field, .. } => *field,
        Error::Forbidden { field, .. } => Some(*field),
        Error::KeyReused => Some(Field::IdempotencyKey),
        Error::Blocked | Error::NotOpen | Error::NoMessages | Error::TooManyPlaces => Some(Field::Chat),
        Error::OtherMessage => Some(Field::Index),
        Error::Gone { .. } => Some(Field::Epoch),
        _ => None,
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// confab's own: the epoch of the chat's log today.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    /// confab's own: what the client has from this index on, was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    /// confab's own: whether a send has stored its message; null if nobody can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<Outcome>,
    /// The limits that the client has reached (draft-ietf-httpapi-ratelimit-headers-11, section 5.1).
    #[serde(rename = "violated-policies", skip_serializing_if = "Option::is_none")]
    violated_policies: Option<[&'static str; 1]>,
}

/// Whether a message is stored: true, false, or null.
#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Known(bool),
    Unknown,
}

impl<'a> Problem<'a> {
    fn new(kind: Kind, detail: impl Into<Cow<'a, str>>) -> Self {
        Self {
            kind: kind.name,
            title: kind.title,
            status: kind.status,
            detail: detail.into(),
            field: None,
            epoch: None,
            index: None,
            stored: None,
            violated_policies: None,
        }
    }

    fn response(&self) -> Response {
        whole(self.status, "application/problem+json", self.body())
    }

    /// Strings and numbers always serialise.
    fn body(&self) -> Vec<u8> {
        json(self).unwrap_or_default()
    }
}

impl<'a> From<&'a Error> for Problem<'a> {
    fn from(error: &'a Error) -> Self {
        let (epoch, index) = match error {
            Error::Gone { epoch, index } => (Some(epoch.map_or(0, Epoch::get)), Some(*index)),
            _ => (None, None),
        };
        let stored = match error {
            Error::Unavailable { stored, .. } => match stored {
                Stored::NotAsked => None,
                Stored::No => Some(Outcome::Known(false)),
                Stored::Unknown => Some(Outcome::Unknown),
            },
            _ => None,
        };
        Self {
            field: field_of(error).map(name_of),
            epoch,
            index,
            stored,
            violated_policies: rate_limit::reached(error).map(|policy| [policy]),
            ..Self::new(kind_of(error), detail_of(error))
        }
    }
}

/// The response to a request that failed.
pub(super) fn response(error: &Error) -> Response {
    let mut response = Problem::from(error).response();
    let advice = match error {
        Error::Unavailable { .. } => Some(("retry-after", "1")),
        // What to send instead (RFC 9110, section 12.5.3).
        Error::UnsupportedEncoding => Some(("accept-encoding", "identity")),
        _ => None,
    };
    rate_limit::mark_refusal(&mut response.headers, error);
    if let Some(challenge) = challenge::of(error) {
        response.headers.set("www-authenticate", challenge);
    }
    if let Some((name, value)) = advice {
        response.headers.set(name, value);
    }
    response
}

/// The body of that response, for a response that has begun already.
pub(super) fn body(error: &Error) -> Vec<u8> {
    Problem::from(error).body()
}

/// The response to a site of another origin that may not call.
pub(super) fn foreign_site() -> Response {
    let detail = "Origin must be the one that was asked, or one that the deployment lists";
    let field = Some("Origin");
    let problem = Problem::new(FORBIDDEN, detail);
    Problem { field, ..problem }.response()
}

/// The response to an unknown path.
pub(super) fn not_found(path: &str) -> Response {
    Problem::new(NOT_FOUND, format!("No route matches {path}.")).response()
}

/// The response to a method that a path does not have. `allowed` lists those that it has.
pub(super) fn method_not_allowed(method: &str, allowed: &'static str) -> Response {
    let detail = format!("{method} is not allowed here. Allowed: {allowed}.");
    let mut response = Problem::new(METHOD_NOT_ALLOWED, detail).response();
    response.headers.set("allow", allowed);
    response
}

#[cfg(test)]
mod tests;
