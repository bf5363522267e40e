//! `GET /api/me`: who the caller is.

use crate::domain::caller::Caller;
use crate::domain::error::Result;
use crate::http::call::Call;
use crate::http::response::{self, Response};
use serde::Serialize;
use std::future::{Ready, ready};

#[derive(Serialize)]
struct Me<'a> {
    name: Option<&'a str>,
    auth: &'static str,
}

/// Answers with the caller's name, and whether the deployment requires one. Redis is not asked.
pub(super) fn handle(call: Call) -> Ready<Result<Response>> {
    let Call { caller, .. } = call;
    let name = caller.as_ref().map(Caller::name);
    let auth = if name.is_some() { "required" } else { "open" };
    ready(response::ok(&Me { name, auth }))
}
