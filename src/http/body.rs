//! Reads a whole request body with as few host calls as possible: each costs as much as parsing.

use crate::domain::error::{Error, Result};
use crate::domain::message::MAX_TEXT_BYTES;
use crate::http::request::Request;
use crate::http::request_headers;
use crate::session::Session;
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamResult};
use std::time::Duration;

/// The most bytes of a request's body: every legal text in any spelling of JSON (six bytes for one, as in `\u0041`), and room for
/// the other fields.
pub(super) const MAX_BODY_BYTES: usize = 6 * MAX_TEXT_BYTES + 16 * 1024;

/// The most bytes that are read of a body before it is refused: a client that is still sending does not read the answer before its
/// connection is closed.
const MAX_REFUSED_BYTES: usize = MAX_BODY_BYTES + 1024 * 1024;

/// How many bytes to ask for if the request does not say how many there are.
const CHUNK_BYTES: usize = 4 * 1024;

/// How many bytes to drop at once.
const DROPPED_AT_ONCE: usize = 64 * 1024;

/// How long a body may take.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Returns the whole body, at most [`MAX_BODY_BYTES`]. Fails if it is longer, has a content encoding, ends early, or takes longer than
/// [`MAX_TIME`] or the request may take.
pub(super) async fn read(session: &Session, request: Request) -> Result<Vec<u8>> {
    let body = session.within(MAX_TIME, read_all(request)).await;
    body.unwrap_or_else(|| Err(Error::SlowBody(MAX_TIME.min(session.config().request_timeout))))
}

async fn read_all(request: Request) -> Result<Vec<u8>> {
    let length = request.length();
    if length == Some(0) {
        return Ok(Vec::new());
    }
    let is_encoded = request_headers::is_encoded(&request.headers);
    let (mut stream, end) = request.into_body();
    if is_encoded {
        drop_rest(stream, 0).await;
        return Err(Error::UnsupportedEncoding);
    }
    if length.is_some_and(|length| length > MAX_BODY_BYTES) {
        drop_rest(stream, 0).await;
        return Err(too_large());
    }
    let mut whole = Vec::new();
    // A body of its length is whole. To ask once more, for its end, is most of what reading a small body costs.
    while length != Some(whole.len()) {
        let room = length.map_or(CHUNK_BYTES, |length| length.saturating_sub(whole.len()));
        let (result, chunk) = stream.read(Vec::with_capacity(room)).await;
        if whole.is_empty() {
            whole = chunk;
        } else {
            whole.extend_from_slice(&chunk);
        }
        if whole.len() > MAX_BODY_BYTES {
            drop_rest(stream, whole.len()).await;
            return Err(too_large());
        }
        if result == StreamResult::Dropped {
            return match (length, end.await) {
                (None, Ok(_)) => Ok(whole),
                _ => Err(Error::Invalid {
                    field: None,
                    reason: "the body did not arrive whole".into(),
                }),
            };
        }
    }
    Ok(whole)
}

/// Reads and drops what comes after the first `read` bytes of a body, until [`MAX_REFUSED_BYTES`].
async fn drop_rest(mut stream: StreamReader<u8>, mut read: usize) {
    let mut chunk = Vec::with_capacity(DROPPED_AT_ONCE);
    while read < MAX_REFUSED_BYTES {
        chunk.clear();
        let result;
        (result, chunk) = stream.read(chunk).await;
        if result == StreamResult::Dropped {
            return;
        }
        read = read.saturating_add(chunk.len());
    }
}

fn too_large() -> Error {
    Error::TooLarge {
        field: None,
        limit: MAX_BODY_BYTES,
    }
}
