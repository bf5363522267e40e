//! The HTTP transport: finds the route of a request and answers, always with a response of confab's own.

mod asset;
mod body;
mod call;
mod event_stream;
mod field;
mod headers;
mod inbox;
mod inbox_entry;
mod inbox_stream;
mod json;
mod message;
mod openapi;
mod page;
mod ping;
mod problem;
mod pull;
mod query;
mod read;
mod reader;
mod ready;
mod response;
mod router;
mod send;
mod sse;
mod stream;

use crate::domain::server_log;
use call::Call;
use response::Reply;
use spin_sdk::http::Request;
use std::time::Instant;

/// Answers a request. The answer has an exact `content-length`, unless it is a stream.
// The tests build the library natively, where the exported symbol cannot be linked.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Reply {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let route = match router::find(&head.method, head.uri.path()) {
        Ok(route) => route,
        Err(refusal) => return Reply::Whole(*refusal),
    };
    let log = server_log::Request::new(route.path, began, headers::traceparent(&head.headers));
    let call = Call {
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        log: log.clone(),
        began,
        body,
    };
    (route.handler)(call).await.unwrap_or_else(|error| {
        log.failed(&error);
        Reply::Whole(problem::response(&error))
    })
}
