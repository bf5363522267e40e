//! `GET /api/me`: who the caller is.

use crate::domain::error::Result;
use crate::http::call::Call;
use crate::http::response::{self, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Me<'a> {
    name: Option<&'a str>,
    auth: &'static str,
}

/// Answers with the caller's name, and whether the deployment requires one. Redis is not asked.
pub(super) fn handle(call: &Call) -> Result<Response> {
    let name = call.caller.name();
    let auth = if name.is_some() { "required" } else { "open" };
    response::ok(&Me { name, auth })
}
