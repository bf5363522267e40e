//! Reads a whole request body with as few host calls as possible: each costs as much as parsing.

use crate::domain::error::{Error, Result};
use crate::domain::message::MAX_TEXT_BYTES;
use http_body::Body;
use spin_sdk::wasip3::http::types::Request;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use spin_sdk::wasip3::wit_bindgen::StreamResult;
use spin_sdk::wasip3::wit_future;

/// The most bytes of a request's body: every legal text in any spelling of JSON (six bytes for one, as in `\u0041`), and room for
/// the other fields.
pub(super) const MAX_BODY_BYTES: usize = 6 * MAX_TEXT_BYTES + 16 * 1024;

/// How many bytes to ask for if the request does not say how many there are.
const CHUNK_BYTES: usize = 4 * 1024;

/// Returns the whole body, at most [`MAX_BODY_BYTES`]. Fails if it is longer, or ends early.
pub(super) async fn read(mut body: IncomingRequestBody) -> Result<Vec<u8>> {
    let length = body
        .size_hint()
        .upper()
        .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if length.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(too_large());
    }
    let Some(request) = body.take_unstarted().filter(|_| length != Some(0)) else {
        return Ok(Vec::new());
    };
    let (_, no_failure) = wit_future::new(|| Ok(()));
    let (mut stream, end) = Request::consume_body(request, no_failure);
    let mut whole = Vec::new();
    // The host passes on no bytes beyond the length (RFC 9112, section 6.3), so a body of that length is whole. The SDK's
    // `bytes()` asks once more for the end, and that call is most of what reading a small body costs.
    while length != Some(whole.len()) {
        let room = length.map_or(CHUNK_BYTES, |length| length.saturating_sub(whole.len()));
        let (result, chunk) = stream.read(Vec::with_capacity(room)).await;
        if whole.is_empty() {
            whole = chunk;
        } else {
            whole.extend_from_slice(&chunk);
        }
        if whole.len() > MAX_BODY_BYTES {
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

fn too_large() -> Error {
    Error::TooLarge {
        field: None,
        limit: MAX_BODY_BYTES,
    }
}
