//! `GET /openapi.json`: the description of the API, `OpenAPI` 3.1. It is written by hand; the tests hold it against the code.

use crate::http::asset::Asset;
use crate::http::call::Call;
use crate::http::response::Response;

static DESCRIPTION: Asset = Asset::new("application/json; charset=utf-8", include_str!("openapi.json"));

/// Answers with the description.
pub(super) fn handle(call: &Call) -> Response {
    DESCRIPTION.answer(&call.request.headers)
}

#[cfg(test)]
mod tests;
