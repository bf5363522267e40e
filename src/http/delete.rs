//! `POST /api/delete`: takes a message back, or for the service a whole chat.

use crate::config;
use crate::domain::deletion::DeletionFields;
use crate::domain::error::Result;
use crate::http::call::Call;
use crate::http::response::{self, Response};
use crate::http::{body, json};
use crate::service;
use crate::session::Session;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Body {
    chat: Option<String>,
    epoch: Option<u64>,
    index: Option<u64>,
    send_time: Option<u64>,
}

#[derive(Serialize)]
struct Done {
    deleted: bool,
}

/// Answers once it is gone.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let session = Session::new(config::get().await?, call.began);
    let fields = parse(&body::read(&session, call.request).await?)?;
    service::delete(&session, &call.caller, &fields).await?;
    response::ok(&Done { deleted: true })
}

/// Parses the body, a JSON object. Unknown fields are ignored.
fn parse(body: &[u8]) -> Result<DeletionFields> {
    let body: Body = json::parse(body)?;
    Ok(DeletionFields {
        chat: body.chat,
        epoch: body.epoch,
        index: body.index,
        send_time: body.send_time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::field::field_at_fault;

    #[test]
    fn a_deletion_that_cannot_be_read_names_the_field() {
        for (body, field) in [
            ("", "body"),
            ("[]", "body"),
            (r#"{"epoch":"1"}"#, "epoch"),
            (r#"{"index":-1}"#, "index"),
            (r#"{"index":1.5}"#, "index"),
            (r#"{"send_time":true}"#, "send_time"),
            (r#"{"chat":7}"#, "chat"),
        ] {
            assert_eq!(field_at_fault(parse(body.as_bytes())), field, "{body}");
        }
    }
}
