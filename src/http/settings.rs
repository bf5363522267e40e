//! `POST /api/chat`: blocks and mutes the caller's own side of a chat, and opens chats for persons.

use crate::config;
use crate::domain::chat_settings::{Change, SettingsFields, Side};
use crate::domain::error::Result;
use crate::http::call::Call;
use crate::http::response::{self, Response};
use crate::http::{body, json};
use crate::service;
use crate::session::Session;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Body {
    name: Option<String>,
    chat: Option<String>,
    blocked: Option<bool>,
    muted: Option<bool>,
    open: Option<bool>,
}

#[derive(Serialize)]
struct Settings {
    chat: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted: Option<bool>,
    open: bool,
}

/// Answers with what is set then.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let session = Session::new(config::get().await?, call.began);
    let fields = parse(&body::read(&session, call.request).await?)?;
    let set = service::set(&session, &call.caller, &fields).await?;
    response::ok(&Settings {
        chat: set.chat.to_string(),
        blocked: set.side.map(|Side { blocked, .. }| blocked),
        muted: set.side.map(|Side { muted, .. }| muted),
        open: set.open,
    })
}

/// Parses the body, a JSON object. Unknown fields are ignored.
fn parse(body: &[u8]) -> Result<SettingsFields> {
    let body: Body = json::parse(body)?;
    Ok(SettingsFields {
        name: body.name,
        chat: body.chat,
        change: Change {
            blocked: body.blocked,
            muted: body.muted,
            open: body.open,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::field::field_at_fault;

    #[test]
    fn settings_that_cannot_be_read_name_the_field() {
        for (body, field) in [
            ("", "body"),
            ("[]", "body"),
            (r#"{"blocked":1}"#, "blocked"),
            (r#"{"muted":"true"}"#, "muted"),
            (r#"{"open":{}}"#, "open"),
            (r#"{"chat":7}"#, "chat"),
        ] {
            assert_eq!(field_at_fault(parse(body.as_bytes())), field, "{body}");
        }
    }
}
