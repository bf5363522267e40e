//! `GET /ping`: whether the component answers. Redis is not asked.

use crate::domain::error::Result;
use crate::http::call::Call;
use crate::http::response::{self, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Pong {
    message: &'static str,
}

/// Answers `{"message":"pong"}`, as the original does.
pub(super) fn handle(_: &Call) -> Result<Response> {
    response::ok(&Pong { message: "pong" })
}
