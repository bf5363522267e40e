//! Server-sent events: the format `text/event-stream` (WHATWG HTML, section 9.2).

use crate::domain::entry_id::Epoch;
use crate::domain::error::Result;
use crate::domain::position::Position;
use crate::domain::update::Update;
use crate::http::deleted::DeletedIn;
use crate::http::headers::Headers;
use crate::http::message::{Members, Message};
use crate::http::response::json;
use serde::Serialize;
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// How long a client waits before it continues with a new stream, in milliseconds. Drawn at random for each stream, so that
/// followers that began together do not come back together.
const RETRY_MS: RangeInclusive<u64> = 500..=1500;

/// The headers of a stream.
pub(super) fn headers() -> Headers {
    let mut headers = Headers::default();
    headers.set("content-type", "text/event-stream");
    // A proxy that compresses would hold events back.
    headers.set("cache-control", "no-store, no-transform");
    // A reverse proxy would hold events back until its buffer is full.
    headers.set("x-accel-buffering", "no");
    headers
}

/// What a stream begins with. `random` is any number.
pub(super) fn opening(random: u64) -> Vec<u8> {
    let (least, most) = (RETRY_MS.start(), RETRY_MS.end());
    let retry = random
        .checked_rem(most.saturating_sub(*least).saturating_add(1))
        .unwrap_or(0);
    // Without a blank line, which some readers report as an empty event.
    format!("retry: {}\n", least.saturating_add(retry)).into_bytes()
}

/// What a silent stream sends, so that both ends notice if the other is gone.
pub(super) fn heartbeat() -> Vec<u8> {
    // Without a blank line, as above.
    b":\n".to_vec()
}

/// The id of the opening of a stream that began with an unreadable position: it cannot be read either, so that a client that
/// breaks off before the reset receives it again.
const UNREADABLE: &str = "0-0-0";

#[derive(Serialize)]
struct Open<'a> {
    epoch: u64,
    position: &'a str,
}

#[derive(Serialize)]
struct Reset {
    epoch: u64,
    index: u64,
}

#[derive(Serialize)]
struct Gap {
    from: u64,
    first_index: u64,
}

/// The event of an update of the chat that the client calls `chat`. Its id is the position from which a client continues.
pub(super) fn update(chat: &str, update: &Update) -> Result<Vec<u8>> {
    let number = |epoch: &Option<Epoch>| epoch.map_or(0, Epoch::get);
    Ok(match update {
        Update::Open { epoch, position } => {
            let position = position.map_or(UNREADABLE.to_owned(), |position| position.to_string());
            let epoch = number(epoch);
            let data = Open {
                epoch,
                position: &position,
            };
            event(Some("open"), Some(&position), &json(&data)?)
        }
        Update::Message { epoch, message } => {
            let position = Position::after(*epoch, message.index, message.send_time);
            let message = Message::new(chat, message, &mut Members::default());
            event(None, Some(&position.to_string()), &json(&message)?)
        }
        Update::Deleted { epoch, notice } => {
            let position = Position::after(*epoch, notice.index, notice.time);
            let data = DeletedIn::new(epoch.get(), &notice.deleted);
            event(Some("deleted"), Some(&position.to_string()), &json(&data)?)
        }
        Update::Reset(reset) => {
            let data = Reset {
                epoch: number(&reset.epoch),
                index: reset.index,
            };
            event(Some("reset"), Some(&reset.position.to_string()), &json(&data)?)
        }
        Update::Gap {
            from,
            first_index,
            position,
        } => {
            let data = Gap {
                from: *from,
                first_index: *first_index,
            };
            event(Some("gap"), Some(&position.to_string()), &json(&data)?)
        }
    })
}

/// The event of a problem, after which the stream ends. A client continues from its id, if it has one.
pub(super) fn problem(id: Option<&str>, body: &[u8]) -> Vec<u8> {
    event(Some("problem"), id, body)
}

/// An event, named `message` if it has no name. Some clients forget their id at an event that has none.
pub(super) fn event(name: Option<&str>, id: Option<&str>, json: &[u8]) -> Vec<u8> {
    let data = escaped(json);
    let mut event = String::new();
    for (field, value) in [("event", name), ("id", id)] {
        if let Some(value) = value {
            event.extend([field, ": ", value, "\n"]);
        }
    }
    [event.as_bytes(), b"data: ", &data, b"\n\n"].concat()
}

/// JSON without the characters at which some readers split lines, though the format splits at CR and LF only. They can stand only
/// in its strings, where an escape means the same.
pub(super) fn escaped(json: &[u8]) -> Cow<'_, [u8]> {
    const SPLITTING: [(char, &str); 3] = [('\u{85}', "\\u0085"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
    let Ok(text) = str::from_utf8(json) else {
        return json.into();
    };
    if !text.contains(SPLITTING.map(|(character, _)| character)) {
        return json.into();
    }
    let escape = |text: String, (character, escape)| text.replace(character, escape);
    SPLITTING.into_iter().fold(text.to_owned(), escape).into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{message, position};

    #[test]
    fn the_time_to_come_back_is_between_half_a_second_and_one_and_a_half() {
        for (random, opening) in [(0, "retry: 500\n"), (1000, "retry: 1500\n"), (1001, "retry: 500\n")] {
            assert_eq!(super::opening(random), opening.as_bytes());
        }
    }

    #[test]
    fn events_are_lines_that_no_text_can_break() {
        let message = message::Message {
            index: 41,
            sender: "Alice".into(),
            text: "a\nb\r\n\ndata: c\0\u{85}\u{2028}\u{2029}é".into(),
            data: None,
            send_time: 18,
        };
        let epoch = Epoch::new(17).unwrap();
        let position = "17-2-16".parse().unwrap();
        let reset = |epoch| {
            let position = Position::Start;
            Update::Reset(position::Reset {
                epoch,
                index: 0,
                position,
            })
        };
        let open = |position| Update::Open {
            epoch: Some(epoch),
            position,
        };
        for (update, expected) in [
            (
                open(Some(position)),
                "event: open\nid: 17-2-16\ndata: {\"epoch\":17,\"position\":\"17-2-16\"}\n\n",
            ),
            (
                open(None),
                "event: open\nid: 0-0-0\ndata: {\"epoch\":17,\"position\":\"0-0-0\"}\n\n",
            ),
            (
                Update::Message { epoch, message },
                "id: 17-41-18\ndata: {\"chat\":\"Alice:bob\",\"text\":\"a\\nb\\r\\n\\ndata: c\\u0000\\u0085\\u2028\\u2029é\",\"sender\":\"Alice\",\"member\":\"alice\",\"send_time\":18,\"index\":41}\n\n",
            ),
            (
                reset(Some(epoch)),
                "event: reset\nid: 0\ndata: {\"epoch\":17,\"index\":0}\n\n",
            ),
            (reset(None), "event: reset\nid: 0\ndata: {\"epoch\":0,\"index\":0}\n\n"),
            (
                Update::Gap {
                    from: 1,
                    first_index: 3,
                    position,
                },
                "event: gap\nid: 17-2-16\ndata: {\"from\":1,\"first_index\":3}\n\n",
            ),
        ] {
            let event = super::update("Alice:bob", &update).unwrap();
            assert_eq!(String::from_utf8(event).unwrap(), expected);
        }
    }
}
