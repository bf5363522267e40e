//! An answer: its status, its headers, and a body whose length is known, or one that goes on.

use crate::config;
use crate::domain::error::Result;
use crate::http::headers::Headers;
use crate::session::Session;
use anyhow::Context as _;
use serde::Serialize;
use spin_sdk::wasip3::http::types::{self, ErrorCode, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamWriter};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};
use std::borrow::Cow;

/// The most bytes of a body that the host is given at once. It buffers more than this for a client that does not read, in however many
/// chunks they come, so that chunks would only cost time.
const WHOLE_BYTES: usize = 256 * 1024;

/// How much of a longer body the host is given at once. It takes a chunk whether its client reads or not, but only one ahead of the client.
const CHUNK_BYTES: usize = 64 * 1024;

/// How the body of a response ends.
type End = Result<Option<Trailers>, ErrorCode>;

/// What a request is answered with.
pub struct Response {
    /// The status code.
    pub(super) status: u16,
    /// The headers.
    pub(super) headers: Headers,
    body: Body,
}

enum Body {
    None,
    Whole(Cow<'static, [u8]>),
    Stream(StreamReader<u8>, FutureReader<End>),
}

/// Writes the body of a response that goes on. The host breaks the response off if this is dropped before [`BodyWriter::finish`].
pub(super) struct BodyWriter {
    /// Takes the next bytes.
    pub(super) contents: StreamWriter<u8>,
    end: FutureWriter<End>,
}

impl BodyWriter {
    fn new() -> (Self, StreamReader<u8>, FutureReader<End>) {
        let (contents, contents_reader) = wit_stream::new();
        let (end, end_reader) = wit_future::new(|| Err(ErrorCode::InternalError(None)));
        (Self { contents, end }, contents_reader, end_reader)
    }

    /// Writes a whole body, and ends it. A client that takes no chunk of it within `stream_heartbeat_s` is given up, or an answer that
    /// nobody reads would be kept for ever.
    async fn write(mut self, body: Cow<'static, [u8]>) {
        if body.len() <= WHOLE_BYTES {
            self.contents.write_all(body.into_owned()).await;
        } else if !self.write_chunks(&body).await {
            return;
        }
        self.finish().await;
    }

    /// Writes a part of a body, chunk by chunk. Returns false if the client is gone, or takes no chunk within `stream_heartbeat_s`.
    pub(super) async fn write_chunks(&mut self, body: &[u8]) -> bool {
        // An answer this large is made only with right settings.
        let Ok(config) = config::get().await else {
            return false;
        };
        let timeout = config.stream_heartbeat;
        let session = Session::endless(config);
        for chunk in body.chunks(CHUNK_BYTES) {
            let written = session.within(timeout, self.contents.write_all(chunk.to_vec())).await;
            if written.is_none_or(|rest| !rest.is_empty()) {
                return false;
            }
        }
        true
    }

    /// Ends the body. If this fails, the client is gone, and nobody is left to report it to.
    pub(super) async fn finish(self) {
        drop(self.contents);
        _ = self.end.write(Ok(None)).await;
    }
}

impl Response {
    /// A response without a body.
    pub(super) fn empty(status: u16, headers: Headers) -> Self {
        let body = Body::None;
        Self { status, headers, body }
    }

    /// A response of status 200 that goes on, and what writes its body.
    pub(super) fn stream(headers: Headers) -> (Self, BodyWriter) {
        let (writer, contents, end) = BodyWriter::new();
        let (status, body) = (200, Body::Stream(contents, end));
        (Self { status, headers, body }, writer)
    }
}

/// The response as the host takes it. Its body is sent after this has returned.
impl TryFrom<Response> for types::Response {
    type Error = ErrorCode;

    fn try_from(response: Response) -> Result<Self, ErrorCode> {
        let Response { status, headers, body } = response;
        let headers = headers.into_fields();
        let headers = headers.map_err(|why| ErrorCode::InternalError(Some(why.to_string())))?;
        let (contents, end) = match body {
            Body::None => (None, wit_future::new(|| Ok(None)).1),
            Body::Whole(body) => {
                let (writer, contents, end) = BodyWriter::new();
                spawn(writer.write(body));
                (Some(contents), end)
            }
            Body::Stream(contents, end) => (Some(contents), end),
        };
        let (response, _) = Self::new(headers, contents, end);
        if status != 200 {
            // Every status here is one of HTTP's.
            _ = response.set_status_code(status);
        }
        Ok(response)
    }
}

/// A response of status 200 with this value as JSON.
pub(super) fn ok(value: &impl Serialize) -> Result<Response> {
    Ok(whole(200, "application/json; charset=utf-8", json(value)?))
}

/// A response of status 204. It has no length (RFC 9110, section 8.6).
pub(super) fn no_content() -> Response {
    let mut response = Response::empty(204, Headers::default());
    response.headers.set("cache-control", "no-store");
    response
}

/// The JSON of a value, on one line.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(value).context("an answer is not JSON")?)
}

/// A response with an exact `content-length`. Without it the host sends the body in chunks, whose end is a packet of its own that
/// waits for the client's delayed acknowledgement.
///
/// It is not to be stored: a shared cache would give one chat's page to the reader of another.
pub(super) fn whole(status: u16, content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Response {
    let body = body.into();
    let mut headers = Headers::default();
    headers.set("content-type", content_type);
    headers.set("content-length", body.len().to_string());
    headers.set("cache-control", "no-store");
    let body = Body::Whole(body);
    Response { status, headers, body }
}
