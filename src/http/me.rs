//! `GET /api/me`: who the caller is, and what a client must know of the deployment.

use crate::config::{self, Config, LEAST_WINDOW};
use crate::domain::error::{Error, Field, Result};
use crate::domain::member::Member;
use crate::domain::message::MAX_TEXT_BYTES;
use crate::domain::page::MAX_LIMIT;
use crate::http::call::Call;
use crate::http::query::Query;
use crate::http::response::{self, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Me<'a> {
    name: Option<&'a str>,
    auth: &'static str,
    stream_heartbeat_s: u64,
    request_timeout_ms: u128,
    idempotency_window_s: u64,
    max_text_bytes: usize,
    max_page_messages: u16,
}

impl<'a> Me<'a> {
    fn new(name: Option<&'a Member>, auth: &'static str, config: &Config) -> Self {
        Self {
            name: name.map(Member::as_str),
            auth,
            stream_heartbeat_s: config.stream_heartbeat.as_secs(),
            request_timeout_ms: config.request_timeout.as_millis(),
            idempotency_window_s: config.idempotency_window.max(LEAST_WINDOW).as_secs(),
            max_text_bytes: MAX_TEXT_BYTES,
            max_page_messages: MAX_LIMIT,
        }
    }
}

/// Answers with the caller's name in the one form. If the deployment is open, that is the name in the query, if there is one. Redis is
/// not asked.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let config = config::get().await?;
    match call.caller.member() {
        Some(member) => response::ok(&Me::new(Some(member), "required", &config)),
        None => response::ok(&Me::new(parse(call.request.query())?.as_ref(), "open", &config)),
    }
}

/// Reads the name in the query string. Unknown fields are ignored.
fn parse(query: &str) -> Result<Option<Member>> {
    let query = Query::parse(query)?;
    let member = |name| Member::parse(name).map_err(|why| Error::invalid(Field::Name, why));
    query.text(Field::Name)?.map(member).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::field::field_at_fault;

    #[test]
    fn a_name_is_in_the_one_form_or_refused() {
        let form = |query| parse(query).unwrap().map(|member| member.as_str().to_owned());
        assert_eq!(form("x=1"), None);
        assert_eq!(form("name=B%C3%96B&x").as_deref(), Some("böb"));
        for query in ["name=", "name=a:b", "name=%00", "name=a&name=a"] {
            assert_eq!(field_at_fault(parse(query)), "name", "{query}");
        }
        assert_eq!(field_at_fault(parse("name=%ff")), "body");
    }
}
