//! Responses whose length is known before their body, and those that go on.

use crate::domain::error::{Error, Result};
use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::Full;
use serde::Serialize;
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue, IntoResponse, StatusCode};
use spin_sdk::wasip3::http::types::{self, ErrorCode, Fields, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

const CACHE_CONTROL: HeaderName = HeaderName::from_static("cache-control");
const CONTENT_LENGTH: HeaderName = HeaderName::from_static("content-length");
const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");

/// A response whose length is known before its body.
pub(super) type Response = spin_sdk::http::Response<Full<Bytes>>;

/// What a request is answered with.
pub enum Reply {
    /// One whose length is known before its body.
    Whole(Response),
    /// One that goes on.
    Stream(Stream),
}

/// A response of status 200 that goes on.
pub struct Stream {
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body.
    pub(super) contents: StreamReader<u8>,
    /// How its body ends.
    pub(super) end: FutureReader<Result<Option<Trailers>, ErrorCode>>,
}

impl Reply {
    /// The headers.
    pub(super) fn headers_mut(&mut self) -> &mut HeaderMap {
        match self {
            Self::Whole(response) => response.headers_mut(),
            Self::Stream(stream) => &mut stream.headers,
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Result<types::Response, ErrorCode> {
        let Stream { headers, contents, end } = match self {
            Self::Whole(response) => return response.into_response(),
            Self::Stream(stream) => stream,
        };
        let headers = Fields::try_from(headers).map_err(|why| ErrorCode::InternalError(Some(why.to_string())))?;
        Ok(types::Response::new(headers, Some(contents), end).0)
    }
}

/// A response of status 200 with this value as JSON.
pub(super) fn ok(value: &impl Serialize) -> Result<Response> {
    Ok(whole(StatusCode::OK, JSON, json(value)?))
}

/// A response of status 204. It has no length (RFC 9110, section 8.6).
pub(super) fn no_content() -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// The JSON of a value, on one line.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .context("an answer is not JSON")
        .map_err(Error::internal)
}

/// A response with an exact `content-length`. Without it the host sends the body in chunks, whose end is a packet of its own that
/// waits for the client's delayed acknowledgement.
///
/// It is not to be stored: a shared cache would give one chat's page to the reader of another.
pub(super) fn whole(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Response {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CACHE_CONTROL, NO_STORE);
    response
}
