//! The HTTP transport: finds the route of a request and answers, always with a response of confab's own.

mod asset;
mod body;
mod call;
mod challenge;
mod chat_page;
mod credentials;
mod delete;
mod deleted;
mod event_stream;
mod export;
mod field;
mod headers;
mod inbox;
mod inbox_entry;
mod inbox_stream;
mod json;
mod mark;
mod me;
mod message;
mod openapi;
mod origin;
mod ping;
mod problem;
mod problem_kind;
mod pull;
mod query;
mod rate_limit;
mod ready;
mod request;
mod request_headers;
mod response;
mod router;
mod send;
mod settings;
mod site;
mod sse;
mod stream;

use crate::config;
use crate::domain::error::Result;
use crate::server_log;
use call::Call;
use credentials::Admission;
use request::Request;
use response::Response;
use router::Route;
use site::Site;
use std::time::Instant;

/// What the host calls. The tests build the library natively, where the exported symbol cannot be linked.
#[cfg(target_family = "wasm")]
mod exported {
    use spin_sdk::wasip3::exports::http::handler::Guest;
    use spin_sdk::wasip3::http::service;
    use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

    struct Component;
    service::export!(Component);

    impl Guest for Component {
        async fn handle(request: Request) -> Result<Response, ErrorCode> {
            super::handle(request.into()).await.try_into()
        }
    }
}

/// Answers a request. The answer has an exact `content-length`, unless it is a stream.
pub async fn handle(request: Request) -> Response {
    let began = Instant::now();
    // Wrong settings stop only what is for callers.
    let site = site_of(&request).await.ok();
    let mut response = respond(site.as_ref(), request, began).await;
    if let Some(site) = &site {
        site.mark(&mut response.headers);
    }
    response
}

async fn site_of(request: &Request) -> Result<Site> {
    Ok(Site::new(request, &config::get().await?.origins))
}

/// Finds the route, and answers.
async fn respond(site: Option<&Site>, request: Request, began: Instant) -> Response {
    let path = request.path();
    if let (true, Some(site), Some(allowed)) = (site::is_preflight(&request), site, router::allowed(path)) {
        return site.preflight(&request, allowed);
    }
    let route = match router::find(&request.method, path) {
        Ok(route) => route,
        Err(refusal) => return *refusal,
    };
    let traceparent = request_headers::traceparent(&request.headers);
    let log = server_log::Request::new(route.path, began, traceparent);
    answer(route, site, request, log.clone(), began)
        .await
        .unwrap_or_else(|error| {
            log.failed(&error);
            problem::response(&error)
        })
}

/// Answers if the site that sent the request may call, once it is known who calls: before anything else of it is read.
async fn answer(
    route: &Route,
    site: Option<&Site>,
    request: Request,
    log: server_log::Request,
    began: Instant,
) -> Result<Response> {
    if route.admission != Admission::Anybody {
        let refused = match site {
            Some(site) => site.is_refused(&request.method),
            None => site_of(&request).await?.is_refused(&request.method),
        };
        if refused {
            return Ok(problem::foreign_site());
        }
    }
    let caller = credentials::caller(route.admission, request.query(), &request.headers).await?;
    let call = Call {
        request,
        log,
        began,
        caller,
    };
    (route.handler)(call).await
}
