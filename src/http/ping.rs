//! `GET /ping`: whether the component answers. Redis is not asked.

use crate::domain::error::Result;
use crate::http::call::Call;
use crate::http::response::{self, Response};
use serde::Serialize;
use std::future::{Ready, ready};

#[derive(Serialize)]
struct Pong {
    message: &'static str,
}

/// Answers `{"message":"pong"}`, as the original does.
pub(super) fn handle(_: Call) -> Ready<Result<Response>> {
    ready(response::ok(&Pong { message: "pong" }))
}
