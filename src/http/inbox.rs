//! `GET /api/inbox`: one page of a person's chats.

use crate::config;
use crate::domain::error::{Field, Result};
use crate::domain::inbox::InboxFields;
use crate::http::call::Call;
use crate::http::inbox_entry::Inbox;
use crate::http::query::Query;
use crate::http::response::{self, Response};
use crate::service;
use crate::session::Session;

/// Answers with the page that the query string asks for.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let session = Session::new(config::get().await?, call.began);
    let fields = parse(&Query::parse(call.request.query())?)?;
    let page = service::inbox(&session, &call.caller, &fields).await?;
    response::ok(&Inbox::new(&page, None))
}

/// Reads the fields. Unknown ones are ignored.
pub(super) fn parse(query: &Query) -> Result<InboxFields> {
    Ok(InboxFields {
        name: query.text(Field::Name)?.map(str::to_owned),
        limit: query.number(Field::Limit)?,
        before: query.text(Field::Before)?.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Caller;
    use crate::domain::inbox::InboxRequest;
    use crate::fuzz::{fuzz, near};
    use crate::http::field::field_at_fault;

    /// The page that anybody's query asks for.
    fn asked(query: &str) -> Result<InboxRequest> {
        service::inbox_request(&Caller::anybody(), &parse(&Query::parse(query)?)?)
    }

    #[test]
    fn a_page_is_asked_for_by_query() {
        let request = asked("name=B%C3%B6b&limit=7&before=17%3Ab%C3%B6b%3Aa&x").unwrap();
        assert_eq!((request.reader.as_str(), request.limit), ("böb", 7));
        assert_eq!(request.before.unwrap().to_string(), "17:a:böb");
        for (query, at_fault) in [
            ("", "name"),
            ("name=", "name"),
            ("name=a:b", "name"),
            ("name=a&name=a", "name"),
            ("name=a&limit=-1", "limit"),
            ("name=a&before=17", "before"),
            ("name=a&before=", "before"),
        ] {
            assert_eq!(field_at_fault(asked(query)), at_fault, "{query}");
        }
    }

    #[test]
    fn fuzz_inbox_queries() {
        fuzz("inbox queries", &near(&["name=a&limit=7&before=17:a:b"]), |query| {
            if let Ok(request) = asked(&String::from_utf8_lossy(&query)) {
                assert!((1..=100).contains(&request.limit));
            }
        });
    }
}
