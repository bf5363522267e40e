//! `GET /openapi.json`: the description of the API, `OpenAPI` 3.1. It is written by hand; the tests hold it against the code.

use crate::domain::embedded::embedded;
use crate::domain::error::Result;
use crate::http::asset::Asset;
use crate::http::call::Call;
use crate::http::response::Response;

static DESCRIPTION: Asset = Asset::new("application/json; charset=utf-8", embedded!("openapi.json"));

/// Answers with the description.
#[expect(clippy::unused_async, reason = "every handler is")]
pub(super) async fn handle(call: Call) -> Result<Response> {
    Ok(DESCRIPTION.answer(&call.request.headers))
}

#[cfg(test)]
mod tests;
