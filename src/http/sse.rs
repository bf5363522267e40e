//! Server-sent events: the format `text/event-stream` (WHATWG HTML, section 9.2).

use crate::domain::entry_id::{EntryId, Epoch};
use crate::domain::error::Result;
use crate::domain::update::{Position, Update};
use crate::http::message::Message;
use crate::http::response::json;
use serde::Serialize;
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue};

/// How long a client waits before it continues with a new stream, in milliseconds.
const RETRY_MS: u64 = 1000;

/// The headers of a stream.
pub(super) fn headers() -> HeaderMap {
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    HeaderMap::from_iter([
        header("content-type", "text/event-stream"),
        // A proxy that compresses would hold events back.
        header("cache-control", "no-store, no-transform"),
        // A reverse proxy would hold events back until its buffer is full.
        header("x-accel-buffering", "no"),
    ])
}

/// What a stream begins with.
pub(super) fn opening() -> Vec<u8> {
    format!("retry: {RETRY_MS}\n\n").into_bytes()
}

/// What a silent stream sends, so that both ends notice if the other is gone.
pub(super) fn heartbeat() -> Vec<u8> {
    b":\n\n".to_vec()
}

#[derive(Serialize)]
struct Reset {
    epoch: u64,
}

#[derive(Serialize)]
struct Gap {
    first_index: u64,
}

/// The event of an update of the chat that the client calls `chat`.
pub(super) fn update(chat: &str, update: &Update) -> Result<Vec<u8>> {
    Ok(match update {
        Update::Message { epoch, message } => {
            let id = EntryId {
                epoch: *epoch,
                index: message.index,
            };
            event(None, Some(id), &json(&Message::new(chat, message))?)
        }
        // Without an id: a client that breaks off here receives it again.
        Update::Reset { epoch } => {
            let epoch = epoch.map_or(0, Epoch::get);
            event(Some("reset"), None, &json(&Reset { epoch })?)
        }
        Update::Gap { epoch, first_index } => {
            let index = *first_index;
            let epoch = Some(*epoch);
            let data = json(&Gap { first_index: index })?;
            event(Some("gap"), Position { epoch, index }.last_entry(), &data)
        }
    })
}

/// The event of a problem, after which the stream ends.
pub(super) fn problem(position: Option<Position>, body: &[u8]) -> Vec<u8> {
    event(
        Some("problem"),
        position.and_then(|position| position.last_entry()),
        body,
    )
}

/// An event, named `message` if it has no name. The id is the place that a client continues from: some clients forget it at an event
/// that has none.
fn event(name: Option<&str>, id: Option<EntryId>, data: &[u8]) -> Vec<u8> {
    let mut event = String::new();
    if let Some(name) = name {
        event.extend(["event: ", name, "\n"]);
    }
    if let Some(id) = id {
        event.extend(["id: ", &id.to_string(), "\n"]);
    }
    [event.as_bytes(), b"data: ", data, b"\n\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message;

    #[test]
    fn events_are_lines_that_no_text_can_break() {
        let message = message::Message {
            index: 41,
            sender: "alice".into(),
            text: "a\nb\r\n\ndata: c\0".into(),
            send_time: 18,
        };
        let epoch = Epoch::new(17).unwrap();
        for (update, expected) in [
            (
                Update::Message { epoch, message },
                "id: 17-41\ndata: {\"chat\":\"Alice:bob\",\"text\":\"a\\nb\\r\\n\\ndata: c\\u0000\",\"sender\":\"alice\",\"send_time\":18,\"index\":41}\n\n",
            ),
            (
                Update::Reset { epoch: Some(epoch) },
                "event: reset\ndata: {\"epoch\":17}\n\n",
            ),
            (Update::Reset { epoch: None }, "event: reset\ndata: {\"epoch\":0}\n\n"),
            (
                Update::Gap { epoch, first_index: 3 },
                "event: gap\nid: 17-2\ndata: {\"first_index\":3}\n\n",
            ),
        ] {
            let event = super::update("Alice:bob", &update).unwrap();
            assert_eq!(String::from_utf8(event).unwrap(), expected);
        }
    }
}
