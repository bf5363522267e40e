//! `GET /api/stream`: follows a chat.

use crate::config::{self, Config};
use crate::domain::chat::Chat;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field, Result};
use crate::domain::update::{FollowRequest, Position, Update};
use crate::http::call::Call;
use crate::http::query::Query;
use crate::http::response::Reply;
use crate::http::{headers, problem, response, sse};
use crate::service::{Follower, deliver};
use spin_sdk::wasip3::http::types::{Fields, Response};
use spin_sdk::wasip3::http_compat::BodyWriter;
use spin_sdk::wasip3::random::random::get_random_u64;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::StreamWriter;
use std::rc::Rc;

/// Answers with a stream, which goes on after this has returned.
///
/// The answer is 200 even if Redis is away: at any other status an `EventSource` gives up for good. The stream then ends with an
/// event that says so, and its client tries again.
pub(super) async fn handle(call: Call) -> Result<Reply> {
    let last_event_id = headers::last_event_id(&call.headers)?;
    let (chat, request) = parse(call.query(), last_event_id)?;
    if call.is_head() {
        let mut response = response::Response::default();
        *response.headers_mut() = sse::headers();
        return Ok(Reply::Whole(response));
    }
    let headers = Fields::try_from(sse::headers());
    let headers = headers.map_err(|why| Error::internal(format!("a header is refused: {why}")))?;
    let config = config::get().await?;
    let follower = Follower::new(Rc::clone(&config), request).await;
    let (body, contents, end) = BodyWriter::new();
    let (response, _) = Response::new(headers, Some(contents), end);
    spawn(write(config, chat, follower, body));
    Ok(Reply::Stream(response))
}

/// Reads the chat, as the client wrote it, and where the stream begins: after the event of the header `last_event_id`, or else of
/// the query's `lastEventId` (from clients that cannot set headers), or else at the query's cursor, or else now. Unknown fields are
/// ignored.
fn parse(query: &str, last_event_id: Option<&[u8]>) -> Result<(String, FollowRequest)> {
    let query = Query::parse(query)?;
    let name = query.required(Field::Chat)?;
    let chat = Chat::parse(name)?;
    let epoch = query.number(Field::Epoch)?.and_then(Epoch::new);
    let at_cursor = query.number(Field::Cursor)?.map(|index| Position { epoch, index });
    let in_query = query
        .named("lastEventId", Field::LastEventId)?
        .filter(|id| !id.is_empty());
    let from = match last_event_id.or(in_query.map(str::as_bytes)) {
        None => at_cursor,
        Some(id) => {
            let id = str::from_utf8(id).ok().and_then(|id| id.parse().ok());
            let position = id.and_then(Position::after_entry).ok_or_else(|| {
                let reason = "must be the id of an event, as in 1763943000123456-41";
                Error::invalid(Field::LastEventId, reason)
            })?;
            Some(position)
        }
    };
    Ok((name.to_owned(), FollowRequest { chat, from }))
}

async fn write(config: Rc<Config>, chat: String, follower: Result<Follower>, body: BodyWriter) {
    let BodyWriter {
        stream_writer: mut events,
        result_writer: end,
        ..
    } = body;
    let (written, position) = match follower {
        Ok(mut follower) => {
            let written = follow(&config, &chat, &mut follower, &mut events).await;
            (written, Some(follower.position()))
        }
        Err(error) => (Err(error), None),
    };
    let whole = match written {
        Ok(whole) => whole,
        Err(error) => {
            error.log();
            let problem = sse::problem(position, &problem::body(&error));
            deliver(&mut events, problem, config.stream_heartbeat).await
        }
    };
    drop(events);
    if whole {
        // If this fails, nobody is left to report it to.
        _ = end.write(Ok(None)).await;
    }
    // Otherwise the client is gone, or does not read: without a result, the host breaks the response off.
}

/// Writes events until the stream's lifetime is over. Returns false if the client is gone or does not read.
async fn follow(config: &Config, chat: &str, follower: &mut Follower, events: &mut StreamWriter<u8>) -> Result<bool> {
    let mut next = sse::opening(get_random_u64());
    while deliver(events, next, config.stream_heartbeat).await {
        let Some(updates) = follower.next().await? else {
            return Ok(true);
        };
        let written = updates.iter().map(|update: &Update| sse::update(chat, update));
        let written = written.collect::<Result<Vec<_>>>()?;
        next = if written.is_empty() {
            sse::heartbeat()
        } else {
            written.concat()
        };
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use crate::http::problem::field_at_fault;

    #[test]
    fn a_stream_begins_after_its_last_event_or_at_its_cursor_or_now() {
        let at = |epoch: Option<u64>, index| {
            let epoch = epoch.and_then(Epoch::new);
            Some(Position { epoch, index })
        };
        for (query, last_event_id, from) in [
            ("chat=a:b", None, None),
            ("chat=a:b&cursor=0", None, at(None, 0)),
            ("chat=a:b&cursor=41&epoch=17&limit=5&x", None, at(Some(17), 41)),
            ("chat=a:b&cursor=0&epoch=0", None, at(None, 0)),
            ("chat=a:b&epoch=17", None, None),
            ("chat=a:b", Some("17-41"), at(Some(17), 42)),
            ("chat=a:b&cursor=7&epoch=16", Some("17-41"), at(Some(17), 42)),
            ("chat=a:b&cursor=7&lastEventId=17-41", None, at(Some(17), 42)),
            ("chat=a:b&cursor=7&lastEventId=17-3", Some("17-41"), at(Some(17), 42)),
            ("chat=a:b&cursor=7&lastEventId=", None, at(None, 7)),
        ] {
            let (chat, request) = parse(query, last_event_id.map(str::as_bytes)).unwrap();
            assert_eq!(
                (chat.as_str(), request.from),
                ("a:b", from),
                "{query} {last_event_id:?}"
            );
        }
        for (query, last_event_id, at_fault) in [
            ("", None, "chat"),
            ("chat=a", None, "chat"),
            ("chat=a:b&cursor=-1", None, "cursor"),
            ("chat=a:b&cursor=1&epoch=x", None, "epoch"),
            ("chat=a:b&cursor=1&cursor=2", None, "cursor"),
            ("chat=a:b", Some(&b"41"[..]), "Last-Event-ID"),
            ("chat=a:b&lastEventId=41", None, "Last-Event-ID"),
            ("chat=a:b&lastEventId=17-1&lastEventId=17-2", None, "Last-Event-ID"),
            ("chat=a:b&cursor=1", Some(b"17-\xff"), "Last-Event-ID"),
        ] {
            assert_eq!(
                field_at_fault(parse(query, last_event_id)),
                at_fault,
                "{query} {last_event_id:?}"
            );
        }
    }

    #[test]
    fn fuzz_streams() {
        let queries = near(&["chat=a:b", "chat=a%3Ab&cursor=1&epoch=4"]);
        fuzz("streams", &(queries, near(&["17-41", "0-0"])), |(query, id)| {
            _ = parse(&String::from_utf8_lossy(&query), Some(&id));
        });
    }
}
