//! `GET /api/inbox/stream`: follows a person's chats.

use crate::config;
use crate::domain::caller::Caller;
use crate::domain::error::{Field, Result};
use crate::domain::inbox_update::{Change, InboxUpdate};
use crate::http::call::Call;
use crate::http::event_stream::{self, Source};
use crate::http::inbox;
use crate::http::inbox_entry::{Inbox, InboxEntry};
use crate::http::query::Query;
use crate::http::response::{Response, json};
use crate::http::{request_headers, sse};
use crate::service::{InboxFollower, MayFollowInbox};
use crate::session::Session;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use serde::Serialize;
use std::time::Instant;

#[derive(Serialize)]
struct Gone {
    chat: String,
}

/// Answers with a stream, which goes on after this has returned, and is 200 even if Redis is away.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let last_event_id = request_headers::last_event_id(&call.request.headers)?;
    let inbox = parse(call.caller, call.request.query(), last_event_id)?;
    if call.request.is_head() {
        return Ok(event_stream::head());
    }
    let session = Session::new(config::get().await?, call.began);
    let (lease, follower) = inbox.begin(&session).await?;
    let config = session.config().clone();
    Ok(event_stream::answer(
        config,
        call.log,
        lease,
        Ok(Box::new(follower)),
        None,
    ))
}

/// Reads whose inbox it is, and the id of the last event that the client has: from the header `Last-Event-ID`, or else from the query's
/// `lastEventId` or `after`. Unknown fields are ignored, and one that cannot be read means that the client has nothing.
fn parse(caller: Caller, query: &str, last_event_id: Option<&[u8]>) -> Result<MayFollowInbox> {
    let query = Query::parse(query)?;
    let fields = inbox::parse(&query)?;
    let filled = |value: &&str| !value.is_empty();
    let in_query = query.named("lastEventId", Field::LastEventId)?.filter(filled);
    let after = query.text(Field::After)?.filter(filled);
    let id = last_event_id.or(in_query.or(after).map(str::as_bytes));
    let after = id.and_then(|id| str::from_utf8(id).ok()?.parse().ok());
    MayFollowInbox::check(caller, fields, after)
}

impl Source for InboxFollower {
    fn next(&mut self) -> LocalBoxFuture<'_, Result<Option<Vec<u8>>>> {
        async {
            let Some(updates) = InboxFollower::next(self).await? else {
                return Ok(None);
            };
            let written = updates.iter().map(event).collect::<Result<Vec<_>>>()?;
            Ok(Some(written.concat()))
        }
        .boxed_local()
    }

    fn id(&self) -> Option<String> {
        self.last().map(|id| id.to_string())
    }

    fn ends(&self) -> Instant {
        InboxFollower::ends(self)
    }
}

fn event(update: &InboxUpdate) -> Result<Vec<u8>> {
    let id = update.id.to_string();
    let (name, data) = match &update.change {
        Change::All(page) => ("inbox", json(&Inbox::new(page, Some(id.clone())))?),
        Change::Chat(entry) => ("chat", json(&InboxEntry::new(entry))?),
        Change::Gone(chat) => ("gone", json(&Gone { chat: chat.to_string() })?),
    };
    Ok(sse::event(Some(name), Some(&id), &data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use crate::http::field::field_at_fault;

    #[test]
    fn a_stream_continues_after_the_last_event_that_its_client_has() {
        for (query, last_event_id, after) in [
            ("name=a", None, None),
            ("name=a", Some("17-4"), Some("17-4")),
            ("name=a&lastEventId=17-5&after=17-6", Some("17-4"), Some("17-4")),
            ("name=a&lastEventId=17-5&after=17-6", None, Some("17-5")),
            ("name=a&lastEventId=&after=17-6", None, Some("17-6")),
            ("name=a&after=x", None, None),
            ("name=a&after=17-6", Some("0"), None),
        ] {
            let request = parse(Caller::anybody(), query, last_event_id.map(str::as_bytes)).unwrap();
            let request = request.request();
            assert_eq!(
                request.after,
                after.map(|id| id.parse().unwrap()),
                "{query} {last_event_id:?}"
            );
            assert_eq!((request.reader.as_str(), request.limit), ("a", 20));
        }
        for (query, at_fault) in [
            ("", "name"),
            ("name=a&limit=x", "limit"),
            ("name=a&after=1-1&after=1-1", "after"),
        ] {
            assert_eq!(
                field_at_fault(parse(Caller::anybody(), query, None).map(drop)),
                at_fault,
                "{query}"
            );
        }
    }

    #[test]
    fn fuzz_inbox_streams() {
        let queries = near(&["name=a&limit=7", "name=a&lastEventId=17-4&after=17-4"]);
        fuzz("inbox streams", &(queries, near(&["17-4"])), |(query, id)| {
            _ = parse(Caller::anybody(), &String::from_utf8_lossy(&query), Some(&id));
        });
    }
}
