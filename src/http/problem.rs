//! What HTTP clients are told of a failure: `application/problem+json`, as RFC 9457 has it.

use super::{Response, respond};
use crate::error::Error;
use serde::Serialize;
use spin_sdk::http::{HeaderName, HeaderValue, Method, StatusCode};

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
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// Ours: which log there is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
}

impl<'a> Problem<'a> {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: &'a str) -> Self {
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail,
            field: None,
            epoch: None,
        }
    }

    fn of_field(self, field: Option<&'a str>) -> Self {
        Self { field, ..self }
    }

    fn respond(&self, status: StatusCode) -> Response {
        // Strings and numbers always serialise.
        respond(status, PROBLEM, serde_json::to_vec(self).unwrap_or_default())
    }
}

/// The response to a request that failed, without any cause that is not the client's.
pub(super) fn of(error: &Error) -> Response {
    let status = error.status();
    let told = error.to_string();
    let new = |kind, title, detail| Problem::new(status, kind, title, detail);
    match error {
        Error::Invalid { field, reason } => {
            let detail = field.map_or_else(|| reason.clone(), |field| format!("{field} {reason}"));
            new("/problems/invalid", "The request is not valid", &detail)
                .of_field(*field)
                .respond(status)
        }
        Error::TooLarge { what, .. } => new("/problems/too-large", "The request is too large", &told)
            .of_field((*what != "body").then_some(*what))
            .respond(status),
        Error::KeyReused => new("/problems/key-reused", "The key is of another message", &told)
            .of_field(Some("Idempotency-Key"))
            .respond(status),
        Error::Gone { epoch } => {
            let problem = new("/problems/gone", "The log was replaced", &told).of_field(Some("epoch"));
            let epoch = Some(*epoch);
            Problem { epoch, ..problem }.respond(status)
        }
        Error::Unavailable(_) => {
            let detail =
                "The messages could not be reached. Try again: with an Idempotency-Key, a message is stored only once.";
            let mut response = new("/problems/unavailable", "The store is unavailable", detail).respond(status);
            let seconds = HeaderValue::from_static("1");
            response.headers_mut().insert(RETRY_AFTER, seconds);
            response
        }
        Error::Internal(_) => {
            let detail = "The log has the cause.";
            new("/problems/internal", "Something is wrong on our side", detail).respond(status)
        }
    }
}

/// The response to a path that there is not.
pub(super) fn not_found(path: &str) -> Response {
    let status = StatusCode::NOT_FOUND;
    let detail = format!("There is nothing at {path}. There are /ping, /api/send and /api/pull.");
    Problem::new(status, "/problems/not-found", "No such path", &detail).respond(status)
}

/// The response to a method that a path does not have, with those that it has.
pub(super) fn method_not_allowed(method: &Method, allowed: &'static str) -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let detail = format!("{method} is not for this path, but {allowed}.");
    let mut response =
        Problem::new(status, "/problems/method-not-allowed", "Not with this method", &detail).respond(status);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
