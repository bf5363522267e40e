//! `GET /api/stream`: follows a chat.

use crate::config;
use crate::domain::chat::Chat;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Field, Result};
use crate::domain::update::{FollowRequest, Start};
use crate::http::call::Call;
use crate::http::event_stream::{self, Source};
use crate::http::query::Query;
use crate::http::response::Response;
use crate::http::{request_headers, sse};
use crate::service::{ChatFollower, MayFollowChat};
use crate::session::Session;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use std::time::Instant;

/// Answers with a stream, which goes on after this has returned.
///
/// The answer is 200 even if Redis is away: at any other status an `EventSource` gives up for good. The stream then ends with an
/// event that says so, and its client tries again.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let last_event_id = request_headers::last_event_id(&call.request.headers)?;
    let (chat, request) = parse(call.request.query(), last_event_id)?;
    let position = match request.from {
        Start::After(position) => Some(position.to_string()),
        Start::Now | Start::Cursor { .. } | Start::Unreadable => None,
    };
    // Before the answer begins: all later failures are events of the stream.
    let may_follow = MayFollowChat::check(call.caller, request)?;
    if call.request.is_head() {
        return Ok(event_stream::head());
    }
    let session = Session::new(config::get().await?, call.began);
    let (lease, follower) = may_follow.begin(&session).await?;
    let events = follower.map(|follower| -> Box<dyn Source> { Box::new(ChatEvents { chat, follower }) });
    let config = session.config().clone();
    Ok(event_stream::answer(config, call.log, lease, events, position))
}

/// Reads the chat, as the client wrote it, and where the stream begins: after the position in the header `Last-Event-ID`, or else in
/// the query's `lastEventId` (from clients that cannot set headers) or `after`; or else at the query's cursor; or else now. Unknown
/// fields are ignored.
///
/// A position that cannot be read is no error: an `EventSource` never returns from a 400.
fn parse(query: &str, last_event_id: Option<&[u8]>) -> Result<(String, FollowRequest)> {
    let query = Query::parse(query)?;
    let name = query.required(Field::Chat)?;
    let chat = Chat::parse(name)?;
    let epoch = query.number(Field::Epoch)?.and_then(Epoch::new);
    let cursor = query.number(Field::Cursor)?;
    let filled = |value: &&str| !value.is_empty();
    let in_query = query.named("lastEventId", Field::LastEventId)?.filter(filled);
    let after = query.text(Field::After)?.filter(filled);
    let position = last_event_id.or(in_query.or(after).map(str::as_bytes));
    let from = match (position, cursor) {
        (Some(position), _) => {
            let position = str::from_utf8(position).ok().and_then(|text| text.parse().ok());
            position.map_or(Start::Unreadable, Start::After)
        }
        (None, Some(cursor)) => Start::at(cursor, epoch),
        (None, None) => Start::Now,
    };
    Ok((name.to_owned(), FollowRequest { chat, from }))
}

/// The follower of the chat that its client calls `chat`.
struct ChatEvents {
    chat: String,
    follower: ChatFollower,
}

impl Source for ChatEvents {
    fn next(&mut self) -> LocalBoxFuture<'_, Result<Option<Vec<u8>>>> {
        async {
            let Some(updates) = self.follower.next().await? else {
                return Ok(None);
            };
            let written = updates.iter().map(|update| sse::update(&self.chat, update));
            Ok(Some(written.collect::<Result<Vec<_>>>()?.concat()))
        }
        .boxed_local()
    }

    fn id(&self) -> Option<String> {
        Some(self.follower.position().to_string())
    }

    fn ends(&self) -> Instant {
        self.follower.ends()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use crate::http::field::field_at_fault;

    #[test]
    fn a_stream_begins_after_its_position_or_at_its_cursor_or_now() {
        let after = |position: &str| Start::After(position.parse().unwrap());
        let cursor = |index, epoch: u64| Start::Cursor {
            index,
            epoch: Epoch::new(epoch),
        };
        for (query, last_event_id, from) in [
            ("chat=a:b", None, Start::Now),
            ("chat=a:b&cursor=0", None, cursor(0, 0)),
            ("chat=a:b&cursor=41&epoch=17&limit=5&x", None, cursor(41, 17)),
            ("chat=a:b&cursor=0&epoch=0", None, cursor(0, 0)),
            ("chat=a:b&cursor=18446744073709551615", None, cursor((1 << 53) - 1, 0)),
            ("chat=a:b&epoch=17", None, Start::Now),
            ("chat=a:b", Some("17-41-18"), after("17-41-18")),
            ("chat=a:b", Some("0"), after("0")),
            ("chat=a:b&after=17-41-18&cursor=3", None, after("17-41-18")),
            ("chat=a:b&after=&lastEventId=&cursor=3", None, cursor(3, 0)),
            (
                "chat=a:b&cursor=7&lastEventId=17-41-18&after=17-3-18",
                None,
                after("17-41-18"),
            ),
            (
                "chat=a:b&cursor=7&epoch=16&lastEventId=0",
                Some("17-41-18"),
                after("17-41-18"),
            ),
            ("chat=a:b", Some("17-41"), Start::Unreadable),
            ("chat=a:b&cursor=3", Some("0-0-0"), Start::Unreadable),
            ("chat=a:b&cursor=3&lastEventId=x", None, Start::Unreadable),
            ("chat=a:b&after=17-+41-18", None, Start::Unreadable),
        ] {
            let (chat, request) = parse(query, last_event_id.map(str::as_bytes)).unwrap();
            assert_eq!(
                (chat.as_str(), request.from),
                ("a:b", from),
                "{query} {last_event_id:?}"
            );
        }
        let unreadable = parse("chat=a:b&cursor=1", Some(b"17-\xff")).unwrap().1.from;
        assert_eq!(unreadable, Start::Unreadable);
        for (query, at_fault) in [
            ("", "chat"),
            ("chat=a", "chat"),
            ("chat=a:b&cursor=-1", "cursor"),
            ("chat=a:b&cursor=1&epoch=x", "epoch"),
            ("chat=a:b&cursor=1&cursor=2", "cursor"),
            ("chat=a:b&after=0&after=0", "after"),
            ("chat=a:b&lastEventId=0&lastEventId=0", "Last-Event-ID"),
        ] {
            assert_eq!(field_at_fault(parse(query, None)), at_fault, "{query}");
        }
    }

    #[test]
    fn fuzz_streams() {
        let queries = near(&["chat=a:b", "chat=a%3Ab&cursor=1&epoch=4&after=0"]);
        fuzz("streams", &(queries, near(&["17-41-18", "0"])), |(query, id)| {
            _ = parse(&String::from_utf8_lossy(&query), Some(&id));
        });
    }
}
