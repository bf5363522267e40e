//! Failures as HTTP clients receive them: `application/problem+json` (RFC 9457). One table has status, type, title and detail.

use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field, Stored};
use crate::http::challenge;
use crate::http::field::name_of;
use crate::http::rate_limit;
use crate::http::response::{Response, json, whole};
use serde::Serialize;
use std::borrow::Cow;

#[derive(Serialize)]
struct Problem<'a> {
    /// What kind of problem it is: a reference that clients may compare, and that never changes.
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
    fn new(status: u16, kind: &'static str, title: &'static str, detail: impl Into<Cow<'a, str>>) -> Self {
        Self {
            kind,
            title,
            status,
            detail: detail.into(),
            field: None,
            epoch: None,
            index: None,
            stored: None,
            violated_policies: None,
        }
    }

    fn field(self, field: Option<Field>) -> Self {
        let field = field.map(name_of);
        Self { field, ..self }
    }

    fn response(&self) -> Response {
        whole(self.status, "application/problem+json", self.body())
    }

    /// Strings and numbers always serialise.
    fn body(&self) -> Vec<u8> {
        json(self).unwrap_or_default()
    }
}

/// What a client receives for an error, without any cause that is not the client's.
impl<'a> From<&'a Error> for Problem<'a> {
    fn from(error: &'a Error) -> Self {
        match error {
            Error::Unauthenticated(_) => {
                let (kind, title) = ("/problems/unauthenticated", "The caller is not known");
                Self::new(401, kind, title, error.to_string())
            }
            Error::TwoTokens => {
                let (kind, title) = ("/problems/invalid", "The request is not valid");
                Self::new(400, kind, title, error.to_string())
            }
            Error::Forbidden { field, reason } => {
                let (kind, title) = ("/problems/forbidden", "The caller may not do this");
                let detail = format!("{} {reason}", name_of(*field));
                Self::new(403, kind, title, detail).field(Some(*field))
            }
            Error::Invalid { field, reason } => {
                let detail = match field {
                    Some(field) => format!("{} {reason}", name_of(*field)).into(),
                    None => Cow::from(reason),
                };
                let (kind, title) = ("/problems/invalid", "The request is not valid");
                Self::new(400, kind, title, detail).field(*field)
            }
            Error::TooLarge { field, .. } => {
                let detail = format!("{} is {error}", field.map_or("body", name_of));
                let (kind, title) = ("/problems/too-large", "The request is too large");
                Self::new(413, kind, title, detail).field(*field)
            }
            Error::SlowBody(_) => {
                let (kind, title) = ("/problems/slow-body", "The body took too long");
                Self::new(408, kind, title, error.to_string())
            }
            Error::UnsupportedEncoding => {
                let (kind, title) = (
                    "/problems/unsupported-encoding",
                    "The content encoding is not supported",
                );
                Self::new(415, kind, title, error.to_string())
            }
            Error::KeyReused => {
                let (kind, title) = ("/problems/key-reused", "Idempotency key already used");
                Self::new(422, kind, title, error.to_string()).field(Some(Field::IdempotencyKey))
            }
            Error::TooManySends(_) | Error::TooManyStreams { .. } => {
                let (kind, title) = ("/problems/too-many", "Too many at once");
                let problem = Self::new(429, kind, title, error.to_string());
                let violated_policies = rate_limit::reached(error).map(|policy| [policy]);
                Self {
                    violated_policies,
                    ..problem
                }
            }
            Error::Gone { epoch, index } => {
                let (kind, title) = ("/problems/gone", "Cursor expired");
                let problem = Self::new(410, kind, title, error.to_string());
                Self {
                    epoch: Some(epoch.map_or(0, Epoch::get)),
                    index: Some(*index),
                    ..problem.field(Some(Field::Epoch))
                }
            }
            Error::Unavailable { stored, .. } => {
                let (detail, stored) = match stored {
                    Stored::NotAsked => ("The messages could not be reached. Try again.", None),
                    Stored::No => ("Nothing was stored. Try again.", Some(Outcome::Known(false))),
                    Stored::Unknown => (
                        "The message may be stored. Try again: with an Idempotency-Key, a message is stored only once.",
                        Some(Outcome::Unknown),
                    ),
                };
                let (kind, title) = ("/problems/unavailable", "The store is unavailable");
                let problem = Self::new(503, kind, title, detail);
                Self { stored, ..problem }
            }
            Error::OldRedis { .. } => {
                let (kind, title) = ("/problems/old-redis", "Redis is too old");
                Self::new(503, kind, title, error.to_string())
            }
            Error::Internal(_) => Self::new(
                500,
                "/problems/internal",
                "Internal error",
                "The cause is in the server log.",
            ),
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

/// The response to a page of another origin that may not call.
pub(super) fn foreign_page() -> Response {
    let (kind, title) = ("/problems/forbidden", "The caller may not do this");
    let detail = "Origin must be the one that was asked, or one that the deployment lists";
    let problem = Problem::new(403, kind, title, detail);
    let field = Some("Origin");
    Problem { field, ..problem }.response()
}

/// The response to an unknown path.
pub(super) fn not_found(path: &str) -> Response {
    let detail = format!("No route matches {path}.");
    Problem::new(404, "/problems/not-found", "No such path", detail).response()
}

/// The response to a method that a path does not have. `allowed` lists those that it has.
pub(super) fn method_not_allowed(method: &str, allowed: &'static str) -> Response {
    let (kind, title) = ("/problems/method-not-allowed", "Method not allowed");
    let detail = format!("{method} is not allowed here. Allowed: {allowed}.");
    let mut response = Problem::new(405, kind, title, detail).response();
    response.headers.set("allow", allowed);
    response
}

#[cfg(test)]
mod tests;
