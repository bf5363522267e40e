//! What HTTP clients are told of a failure: `application/problem+json`, as RFC 9457 has it.

use super::{Response, json, respond};
use crate::error::Error;
use serde::Serialize;
use spin_sdk::http::{HeaderName, HeaderValue, Method, StatusCode};
use std::borrow::Cow;

const ALLOW: HeaderName = HeaderName::from_static("allow");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const RETRY_AFTER: HeaderName = HeaderName::from_static("retry-after");

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
    /// Ours: which log there is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
}

impl<'a> Problem<'a> {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<Cow<'a, str>>) -> Self {
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            epoch: None,
        }
    }

    /// What the client is told of an error, without any cause that is not its own.
    fn of(error: &'a Error) -> Self {
        let new = |kind, title, detail: Cow<'a, str>| Self::new(error.status(), kind, title, detail);
        let told = || error.to_string().into();
        match error {
            Error::Invalid { field, reason } => Self {
                field: *field,
                ..new(
                    "/problems/invalid",
                    "The request is not valid",
                    field.map_or_else(|| reason.into(), |field| format!("{field} {reason}").into()),
                )
            },
            Error::TooLarge { what, .. } => Self {
                field: (*what != "body").then_some(*what),
                ..new("/problems/too-large", "The request is too large", told())
            },
            Error::KeyReused => Self {
                field: Some("Idempotency-Key"),
                ..new("/problems/key-reused", "The key is of another message", told())
            },
            Error::Gone { epoch } => Self {
                field: Some("epoch"),
                epoch: Some(*epoch),
                ..new("/problems/gone", "The log was replaced", told())
            },
            Error::Unavailable(_) => new(
                "/problems/unavailable",
                "The store is unavailable",
                "The messages could not be reached. Try again: with an Idempotency-Key, a message is stored only once."
                    .into(),
            ),
            Error::Internal(_) => new(
                "/problems/internal",
                "Something is wrong on our side",
                "The log has the cause.".into(),
            ),
        }
    }

    fn body(&self) -> Vec<u8> {
        json(self)
    }

    fn respond(&self, status: StatusCode) -> Response {
        respond(status, PROBLEM, self.body())
    }
}

/// The response to a request that failed.
pub(super) fn of(error: &Error) -> Response {
    let mut response = Problem::of(error).respond(error.status());
    if let Error::Unavailable(_) = error {
        let seconds = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

/// The body of that response, for a response that has begun already.
pub(super) fn body(error: &Error) -> Vec<u8> {
    Problem::of(error).body()
}

/// The response to a path that there is not.
pub(super) fn not_found(path: &str) -> Response {
    let status = StatusCode::NOT_FOUND;
    let detail = format!("There is nothing at {path}. There are /ping, /api/send, /api/pull and /api/stream.");
    Problem::new(status, "/problems/not-found", "No such path", detail).respond(status)
}

/// The response to a method that a path does not have, with those that it has.
pub(super) fn method_not_allowed(method: &Method, allowed: &'static str) -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let detail = format!("{method} is not for this path, but {allowed}.");
    let mut response =
        Problem::new(status, "/problems/method-not-allowed", "Not with this method", detail).respond(status);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
