//! The HTTP door: routes and responses. Only it and its parts (`body`, `stream`, `problem`) know HTTP.

mod body;
mod problem;
mod stream;

use crate::chat::Chat;
use crate::error::{Error, Result};
use crate::fields;
use crate::message::{self, IdempotencyKey, Receipt};
use crate::service;
use bytes::Bytes;
use http_body::Body;
use http_body_util::Full;
use serde::Serialize;
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue, IntoResponse, Method, Request, StatusCode};
use spin_sdk::wasip3::http::types;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use std::num::NonZeroU64;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

const CONTENT_LENGTH: HeaderName = HeaderName::from_static("content-length");
const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

type Response = spin_sdk::http::Response<Full<Bytes>>;

/// A response of ours.
pub enum Answer {
    /// One whose length is known before its body.
    Whole(Response),
    /// One that goes on.
    Stream(types::Response),
}

impl IntoResponse for Answer {
    fn into_response(self) -> Result<types::Response, types::ErrorCode> {
        match self {
            Self::Whole(response) => response.into_response(),
            Self::Stream(response) => Ok(response),
        }
    }
}

/// Answers a request, always with a response of ours; with an exact `content-length`, if it is not a stream.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let answer = match Route::of(&head.method, head.uri.path()) {
        Route::Ping => ping(),
        Route::Send => send(&head.headers, body).await,
        Route::Pull => pull(body, query).await,
        Route::Stream => stream(&head.method, &head.headers, query).await,
        Route::WrongMethod { allowed } => Ok(Answer::Whole(problem::method_not_allowed(&head.method, allowed))),
        Route::Unknown => Ok(Answer::Whole(problem::not_found(head.uri.path()))),
    };
    answer.unwrap_or_else(|error| {
        error.log();
        Answer::Whole(problem::of(&error))
    })
}

#[derive(Debug, PartialEq)]
enum Route {
    Ping,
    Send,
    Pull,
    Stream,
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
            "/api/stream" => when(reads, Self::Stream, "GET, HEAD"),
            _ => Self::Unknown,
        }
    }
}

fn ping() -> Result<Answer> {
    #[derive(Serialize)]
    struct Pong {
        message: &'static str,
    }
    ok(&Pong { message: "pong" }).map(Answer::Whole)
}

async fn send(headers: &HeaderMap, body: IncomingRequestBody) -> Result<Answer> {
    #[derive(Serialize)]
    struct Sent {
        index: u64,
        send_time: u64,
    }
    let key = idempotency_key(headers)?;
    let draft = fields::draft(&body::read(body).await?, key)?;
    let Receipt {
        index,
        send_time,
        replayed,
    } = service::send(&draft).await?;
    let mut response = ok(&Sent { index, send_time })?;
    if replayed {
        response
            .headers_mut()
            .insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(Answer::Whole(response))
}

/// Reads the header `Idempotency-Key`: a string of RFC 9651, as the IETF's draft has it, or the bare characters, as most
/// clients send it. `"k"` and `k` are one key.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let malformed = || {
        Error::field(
            "Idempotency-Key",
            "must be one string in double quotes, or one bare word",
        )
    };
    let key = value.to_str().ok().filter(|_| values.next().is_none());
    let key = key.and_then(unquoted).ok_or_else(malformed)?;
    IdempotencyKey::parse(key).map(Some)
}

/// The characters of a string of RFC 9651 (section 3.3.3), or of a word that has none of the characters that end one in a header.
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else {
        return (!value.contains(['"', '\\', ',', ';'])).then(|| value.to_owned());
    };
    let mut characters = rest.strip_suffix('"')?.chars();
    let mut string = String::new();
    while let Some(character) = characters.next() {
        string.push(match character {
            '"' => return None,
            '\\' => characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?,
            other => other,
        });
    }
    Some(string)
}

async fn pull(body: IncomingRequestBody, query: &str) -> Result<Answer> {
    #[derive(Serialize)]
    struct Pulled<'a> {
        messages: Vec<Message<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        has_more: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<u64>,
        epoch: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        first_index: Option<NonZeroU64>,
    }
    // To find that there is no body costs a tenth of a pull: beside a query, only one that tells its length is looked at.
    let body = if query.is_empty() || body.size_hint().upper().is_some() {
        body::read(body).await?
    } else {
        Vec::new()
    };
    let request = fields::page_request(&body, query)?;
    let page = service::pull(&request).await?;
    let messages = page.messages.iter().map(|message| Message::of(&request.chat, message));
    ok(&Pulled {
        messages: messages.collect(),
        has_more: page.next.map(|_| true),
        next_cursor: page.next,
        epoch: page.epoch,
        first_index: NonZeroU64::new(page.first_index),
    })
    .map(Answer::Whole)
}

/// A message as clients get it.
#[derive(Serialize)]
struct Message<'a> {
    chat: &'a str,
    text: &'a str,
    sender: &'a str,
    send_time: u64,
    index: u64,
}

impl<'a> Message<'a> {
    fn of(chat: &'a Chat, message: &'a message::Message) -> Self {
        Self {
            chat: chat.as_written(),
            text: &message.text,
            sender: &message.sender,
            send_time: message.send_time,
            index: message.index,
        }
    }
}

async fn stream(method: &Method, headers: &HeaderMap, query: &str) -> Result<Answer> {
    let mut ids = headers.get_all(LAST_EVENT_ID).iter();
    let last_event_id = ids.next().map(HeaderValue::as_bytes);
    if ids.next().is_some() {
        return Err(Error::field("Last-Event-ID", "must be there only once"));
    }
    let request = fields::follow_request(query, last_event_id)?;
    if *method == Method::HEAD {
        let mut response = Response::default();
        *response.headers_mut() = stream::headers();
        return Ok(Answer::Whole(response));
    }
    stream::open(request).await.map(Answer::Stream)
}

/// JSON of strings and numbers, which always serialise. In one line, as JSON escapes those that a string has.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};

    #[test]
    fn an_idempotency_key_is_a_quoted_string_or_a_bare_word() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static(value));
            }
            idempotency_key(&headers)
        };
        assert_eq!(read(&[]), Ok(None));
        for (value, key) in [
            ("\"k\"", "k"),
            ("k", "k"),
            (r#""a\"b\\c;d,""#, r#"a"b\c;d,"#),
            (
                "8e03978e-40d5-43e8-bc93-6894a57f9324",
                "8e03978e-40d5-43e8-bc93-6894a57f9324",
            ),
            ("a/b+c==", "a/b+c=="),
        ] {
            let expected = IdempotencyKey::parse(key.into()).unwrap();
            assert_eq!(read(&[value]), Ok(Some(expected)), "{value}");
        }
        for values in [
            &[""][..],
            &["\"\""],
            &["\""],
            &["\"k"],
            &["k\""],
            &["\"a\"b\""],
            &[r#""a\""#],
            &[r#""a\b""#],
            &["\"k\";x=1"],
            &["k, l"],
            &["a b"],
            &["\"a b\""],
            &["k", "k"],
        ] {
            let error = read(values).unwrap_err();
            let named = matches!(
                error,
                Error::Invalid {
                    field: Some("Idempotency-Key"),
                    ..
                }
            );
            assert!(named, "{values:?}: {error:?}");
        }
    }

    #[test]
    fn fuzz_idempotency_keys() {
        fuzz("idempotency keys", &near(&["k", "\"k\"", r#""a\"b\\c""#]), |value| {
            let mut headers = HeaderMap::new();
            let Ok(value) = HeaderValue::from_bytes(&value) else {
                return;
            };
            headers.insert(IDEMPOTENCY_KEY, value);
            if let Ok(Some(key)) = idempotency_key(&headers) {
                // What was read is read again from the one way to write it.
                let quoted = format!("\"{}\"", key.as_str().replace('\\', r"\\").replace('"', r#"\""#));
                headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(&quoted).unwrap());
                assert_eq!(idempotency_key(&headers), Ok(Some(key)));
            }
        });
    }

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
            (Method::GET, "/api/stream", Route::Stream),
            (Method::HEAD, "/api/stream", Route::Stream),
            (Method::POST, "/api/stream", wrong("GET, HEAD")),
            (Method::GET, "/", Route::Unknown),
            (Method::GET, "/ping/", Route::Unknown),
            (Method::GET, "/API/pull", Route::Unknown),
        ] {
            assert_eq!(Route::of(&method, path), route, "{method} {path}");
        }
    }
}
