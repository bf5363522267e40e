//! The HTTP door: routes, bodies and responses. The only file that knows HTTP.

use crate::error::{Error, Result};
use crate::fields;
use crate::message::Receipt;
use crate::page::Page;
use crate::service;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde::Serialize;
use spin_sdk::http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use spin_sdk::wasip3::http_compat::IncomingRequestBody;

/// The most bytes of a request's body.
pub const MAX_BODY_BYTES: usize = 128 * 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

const ALLOW: HeaderName = HeaderName::from_static("allow");
const CONTENT_LENGTH: HeaderName = HeaderName::from_static("content-length");
const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");
const RETRY_AFTER: HeaderName = HeaderName::from_static("retry-after");

type Response = spin_sdk::http::Response<Full<Bytes>>;

/// Answers a request, always with a response of ours and an exact `content-length`.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let answer = match Route::of(&head.method, head.uri.path()) {
        Route::Ping => ping(),
        Route::Send => send(body).await,
        Route::Pull => pull(body, head.uri.query().unwrap_or_default()).await,
        Route::WrongMethod { allowed } => return method_not_allowed(&head.method, allowed),
        Route::Unknown => return not_found(head.uri.path()),
    };
    answer.unwrap_or_else(|error| failed(&error))
}

#[derive(Debug, PartialEq)]
enum Route {
    Ping,
    Send,
    Pull,
    WrongMethod { allowed: &'static str },
    Unknown,
}

impl Route {
    fn of(method: &Method, path: &str) -> Self {
        // The host leaves the body out of an answer to HEAD, and keeps its length.
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let when = |allows: bool, route, allowed| if allows { route } else { Self::WrongMethod { allowed } };
        match path {
            "/ping" => when(reads, Self::Ping, "GET, HEAD"),
            "/api/send" => when(*method == Method::POST, Self::Send, "POST"),
            "/api/pull" => when(reads, Self::Pull, "GET, HEAD"),
            _ => Self::Unknown,
        }
    }
}

fn ping() -> Result<Response> {
    #[derive(Serialize)]
    struct Pong {
        message: &'static str,
    }
    ok(&Pong { message: "pong" })
}

async fn send(body: IncomingRequestBody) -> Result<Response> {
    #[derive(Serialize)]
    struct Sent {
        index: u64,
        send_time: u64,
    }
    let draft = fields::draft(&read(body).await?)?;
    let Receipt { index, send_time } = service::send(&draft).await?;
    ok(&Sent { index, send_time })
}

async fn pull(body: IncomingRequestBody, query: &str) -> Result<Response> {
    #[derive(Serialize)]
    struct Pulled<'a> {
        messages: Vec<PulledMessage<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        has_more: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<u64>,
    }
    #[derive(Serialize)]
    struct PulledMessage<'a> {
        chat: &'a str,
        text: &'a str,
        sender: &'a str,
        send_time: u64,
        index: u64,
    }
    let request = fields::page_request(&read(body).await?, query)?;
    let Page { messages, next } = service::pull(&request).await?;
    let pulled = messages.iter().map(|message| PulledMessage {
        chat: request.chat.as_written(),
        text: &message.text,
        sender: &message.sender,
        send_time: message.send_time,
        index: message.index,
    });
    ok(&Pulled {
        messages: pulled.collect(),
        has_more: next.map(|_| true),
        next_cursor: next,
    })
}

/// The whole body. (`http_body_util::Limited` does this too, but its boxed errors cost the component 20 KB of names.)
async fn read(mut body: IncomingRequestBody) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::Invalid {
            field: None,
            reason: "the body did not arrive whole".into(),
        })?;
        whole.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
        if whole.len() > MAX_BODY_BYTES {
            return Err(Error::TooLarge {
                what: "body",
                limit: MAX_BODY_BYTES,
            });
        }
    }
    Ok(whole)
}

fn ok(body: &impl Serialize) -> Result<Response> {
    let body = serde_json::to_vec(body).map_err(|why| Error::Internal(format!("an answer is not JSON: {why}")))?;
    Ok(respond(StatusCode::OK, JSON, body))
}

/// A response whose length is known before its body: without `content-length` the host sends the body in chunks, whose end
/// is a packet of its own that waits for the client's delayed acknowledgement.
fn respond(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Response {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// An error's body, as RFC 9457 has it.
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
}

fn failed(error: &Error) -> Response {
    error.log();
    let status = error.status();
    let told = |kind, title, detail: &str, field| problem(status, kind, title, detail, field);
    match error {
        Error::Invalid { field, reason } => {
            let detail = field.map_or_else(|| reason.clone(), |field| format!("{field} {reason}"));
            told("/problems/invalid", "The request is not valid", &detail, *field)
        }
        Error::TooLarge { what, .. } => {
            let field = (*what != "body").then_some(*what);
            told(
                "/problems/too-large",
                "The request is too large",
                &error.to_string(),
                field,
            )
        }
        Error::Unavailable(_) => {
            let detail =
                "The messages could not be reached. Try again; one that was being sent may or may not be stored.";
            let mut response = told("/problems/unavailable", "The store is unavailable", detail, None);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
        Error::Internal(_) => told(
            "/problems/internal",
            "Something is wrong on our side",
            "The log has the cause.",
            None,
        ),
    }
}

fn not_found(path: &str) -> Response {
    let detail = format!("There is nothing at {path}. There are /ping, /api/send and /api/pull.");
    problem(
        StatusCode::NOT_FOUND,
        "/problems/not-found",
        "No such path",
        &detail,
        None,
    )
}

fn method_not_allowed(method: &Method, allowed: &'static str) -> Response {
    let detail = format!("{method} is not for this path, but {allowed}.");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = problem(
        status,
        "/problems/method-not-allowed",
        "Not with this method",
        &detail,
        None,
    );
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

fn problem(status: StatusCode, kind: &'static str, title: &'static str, detail: &str, field: Option<&str>) -> Response {
    let problem = Problem {
        kind,
        title,
        status: status.as_u16(),
        detail,
        field,
    };
    // Strings and a number always serialise.
    respond(status, PROBLEM, serde_json::to_vec(&problem).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_its_methods_and_no_others() {
        let wrong = |allowed| Route::WrongMethod { allowed };
        for (method, path, route) in [
            (Method::GET, "/ping", Route::Ping),
            (Method::HEAD, "/ping", Route::Ping),
            (Method::POST, "/ping", wrong("GET, HEAD")),
            (Method::POST, "/api/send", Route::Send),
            (Method::GET, "/api/send", wrong("POST")),
            (Method::OPTIONS, "/api/send", wrong("POST")),
            (Method::GET, "/api/pull", Route::Pull),
            (Method::HEAD, "/api/pull", Route::Pull),
            (Method::DELETE, "/api/pull", wrong("GET, HEAD")),
            (Method::GET, "/", Route::Unknown),
            (Method::GET, "/ping/", Route::Unknown),
            (Method::GET, "/API/pull", Route::Unknown),
        ] {
            assert_eq!(Route::of(&method, path), route, "{method} {path}");
        }
    }
}
