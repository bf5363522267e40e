//! `GET /ready`: whether Redis can serve requests, for readiness probes.

use crate::config;
use crate::domain::error::Result;
use crate::http::call::Call;
use crate::http::response::{self, Response};
use crate::service;
use crate::session::Session;
use serde::Serialize;

#[derive(Serialize)]
struct Ready {
    message: &'static str,
}

/// Answers `{"message":"ready"}` if the settings can be used, and Redis answers within `redis_timeout_ms`,
/// is 7.0 or later, and serves all slots if it is a Cluster. It does not show that writes pass.
pub(super) async fn handle(call: Call) -> Result<Response> {
    service::ready(&Session::new(config::get().await?, call.began)).await?;
    response::ok(&Ready { message: "ready" })
}
