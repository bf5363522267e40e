//! The HTTP transport: finds the route of a request and answers, always with a response of confab's own.

mod asset;
mod body;
mod call;
mod challenge;
mod cors;
mod credentials;
mod event_stream;
mod field;
mod headers;
mod inbox;
mod inbox_entry;
mod inbox_stream;
mod json;
mod me;
mod message;
mod openapi;
mod origin;
mod page;
mod ping;
mod problem;
mod pull;
mod query;
mod rate_limit;
mod read;
mod ready;
mod response;
mod router;
mod send;
mod sse;
mod stream;

use crate::config;
use crate::domain::error::Result;
use crate::domain::server_log;
use call::Call;
use cors::Page;
use credentials::Admission;
use response::Reply;
use router::Route;
use spin_sdk::http::Request;
use std::time::Instant;

/// Answers a request. The answer has an exact `content-length`, unless it is a stream.
// The tests build the library natively, where the exported symbol cannot be linked.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Reply {
    let began = Instant::now();
    // Wrong settings stop only what is for callers.
    let page = page_of(&request).await.ok();
    let mut reply = respond(page.as_ref(), request, began).await;
    if let Some(page) = &page {
        page.mark(reply.headers_mut());
    }
    reply
}

async fn page_of<T>(request: &Request<T>) -> Result<Page> {
    Page::of(request, &config::get().await?.cors_origins)
}

/// Finds the route, and answers.
async fn respond(page: Option<&Page>, request: Request, began: Instant) -> Reply {
    let path = request.uri().path();
    if let (true, Some(page), Some(allowed)) = (cors::is_preflight(&request), page, router::allowed(path)) {
        return Reply::Whole(page.preflight(allowed));
    }
    let route = match router::find(request.method(), path) {
        Ok(route) => route,
        Err(refusal) => return Reply::Whole(*refusal),
    };
    let log = server_log::Request::new(route.path, began, headers::traceparent(request.headers()));
    answer(route, page, request, log.clone(), began)
        .await
        .unwrap_or_else(|error| {
            log.failed(&error);
            Reply::Whole(problem::response(&error))
        })
}

/// Answers if the page that sent the request may call, once it is known who calls: before anything else of it is read.
async fn answer(
    route: &Route,
    page: Option<&Page>,
    request: Request,
    log: server_log::Request,
    began: Instant,
) -> Result<Reply> {
    if route.admission != Admission::Anybody {
        let refused = match page {
            Some(page) => page.is_refused(request.method()),
            None => page_of(&request).await?.is_refused(request.method()),
        };
        if refused {
            return Ok(Reply::Whole(problem::foreign_page()));
        }
    }
    let (head, body) = request.into_parts();
    let caller = credentials::caller(route.admission, head.uri.query().unwrap_or_default(), &head.headers).await?;
    let call = Call {
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        log,
        began,
        body,
        caller,
    };
    (route.handler)(call).await
}
