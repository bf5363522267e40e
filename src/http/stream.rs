//! Server-sent events: what a follower is told, as `text/event-stream` (WHATWG HTML, section 9.2).

use super::{Message, json, problem};
use crate::chat::Chat;
use crate::error::{Error, Result};
use crate::follower::{Follower, hand_over};
use crate::live::{FollowRequest, Position, Update};
use serde::Serialize;
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue};
use spin_sdk::wasip3::http::types::{Fields, Response};
use spin_sdk::wasip3::http_compat::BodyWriter;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::StreamWriter;

/// How long a client waits before it continues with a new stream, in milliseconds.
const RETRY_MS: u64 = 1000;

const HEARTBEAT: &[u8] = b":\n\n";

/// The headers of a stream.
pub(super) fn headers() -> HeaderMap {
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    HeaderMap::from_iter([
        header("content-type", "text/event-stream"),
        header("cache-control", "no-store"),
        // For reverse proxies that would otherwise hold events back.
        header("x-accel-buffering", "no"),
    ])
}

/// Answers with a stream, which goes on after this has returned.
///
/// The answer is 200 even where Redis is away: at any other status an `EventSource` gives up for good. The stream then ends
/// with an event that tells, and its client tries again.
pub(super) async fn open(request: FollowRequest) -> Result<Response> {
    let headers = Fields::try_from(headers()).map_err(|why| Error::Internal(format!("a header is refused: {why}")))?;
    let follower = Follower::new(request).await;
    let (body, contents, end) = BodyWriter::new();
    let (response, _) = Response::new(headers, Some(contents), end);
    spawn(write(follower, body));
    Ok(response)
}

async fn write(follower: Result<Follower>, body: BodyWriter) {
    let BodyWriter {
        stream_writer: mut events,
        result_writer: end,
        ..
    } = body;
    let (told, last_event) = match follower {
        Ok(mut follower) => (tell(&mut follower, &mut events).await, follower.last_event()),
        Err(error) => (Err(error), None),
    };
    let whole = match told {
        Ok(whole) => whole,
        Err(error) => {
            error.log();
            let problem = event(Some("problem"), last_event.as_deref(), &problem::body(&error));
            hand_over(&mut events, problem).await == Ok(true)
        }
    };
    drop(events);
    if whole {
        // Nobody is left to tell where this fails.
        _ = end.write(Ok(None)).await;
    }
    // Otherwise the client is gone, or does not read: without a result, the host breaks the response off.
}

/// Writes events until the stream's lifetime is over; false where the client is gone or does not read.
async fn tell(follower: &mut Follower, events: &mut StreamWriter<u8>) -> Result<bool> {
    let mut next = format!("retry: {RETRY_MS}\n\n").into_bytes();
    while hand_over(events, next).await? {
        let Some(updates) = follower.next().await? else {
            return Ok(true);
        };
        let told: Vec<_> = updates.iter().map(|update| event_of(follower.chat(), update)).collect();
        next = if told.is_empty() {
            HEARTBEAT.into()
        } else {
            told.concat()
        };
    }
    Ok(false)
}

fn event_of(chat: &Chat, update: &Update) -> Vec<u8> {
    #[derive(Serialize)]
    struct Reset {
        epoch: u64,
    }
    #[derive(Serialize)]
    struct Gap {
        first_index: u64,
    }
    match update {
        Update::Message(epoch, message) => {
            let id = format!("{epoch}-{}", message.index);
            event(None, Some(&id), &json(&Message::of(chat, message)))
        }
        // Without an id: a client that breaks off here is told again.
        Update::Reset(epoch) => event(Some("reset"), None, &json(&Reset { epoch: *epoch })),
        Update::Gap(epoch, first_index) => {
            let next = Position::at(Some(*epoch), *first_index);
            let data = json(&Gap {
                first_index: *first_index,
            });
            event(Some("gap"), next.last_event().as_deref(), &data)
        }
    }
}

/// An event, named `message` where there is no name. The id is the place that a client continues from: some clients forget it at an
/// event that has none.
fn event(name: Option<&str>, id: Option<&str>, data: &[u8]) -> Vec<u8> {
    let mut event = String::new();
    for (field, value) in [("event", name), ("id", id)] {
        if let Some(value) = value {
            event.extend([field, ": ", value, "\n"]);
        }
    }
    [event.as_bytes(), b"data: ", data, b"\n\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message;

    #[test]
    fn events_are_lines_that_no_text_can_break() {
        let chat = Chat::parse("Alice:bob".into()).unwrap();
        let message = message::Message {
            index: 41,
            sender: "alice".into(),
            text: "a\nb\r\n\ndata: c\0".into(),
            send_time: 18,
        };
        for (update, expected) in [
            (
                Update::Message(17, message),
                "id: 17-41\ndata: {\"chat\":\"Alice:bob\",\"text\":\"a\\nb\\r\\n\\ndata: c\\u0000\",\"sender\":\"alice\",\"send_time\":18,\"index\":41}\n\n",
            ),
            (Update::Reset(17), "event: reset\ndata: {\"epoch\":17}\n\n"),
            (
                Update::Gap(17, 3),
                "event: gap\nid: 17-2\ndata: {\"first_index\":3}\n\n",
            ),
        ] {
            assert_eq!(String::from_utf8(event_of(&chat, &update)).unwrap(), expected);
        }
    }
}
