//! `POST /api/send`: appends a message.

use crate::config;
use crate::domain::data::Data;
use crate::domain::error::{Error, Field, Result};
use crate::domain::idempotency_key::IdempotencyKey;
use crate::domain::message::DraftFields;
use crate::http::call::Call;
use crate::http::response::{self, Response};
use crate::http::{body, json, rate_limit, request_headers};
use crate::service;
use crate::session::Session;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Body {
    chat: Option<String>,
    text: Option<String>,
    data: Option<Box<RawValue>>,
    sender: Option<String>,
}

#[derive(Serialize)]
struct Sent {
    index: u64,
    send_time: u64,
}

/// Answers once Redis has the message.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let session = Session::new(config::get().await?, call.began);
    let key = request_headers::idempotency_key(&call.request.headers)?;
    let fields = parse(&body::read(&session, call.request).await?, key)?;
    let sent = service::send(&session, &call.caller, fields).await?;
    let mut response = response::ok(&Sent {
        index: sent.index,
        send_time: sent.send_time,
    })?;
    if sent.replayed {
        response.headers.set("idempotency-replayed", "true");
    }
    if let Some(allowance) = &sent.allowance {
        rate_limit::mark(&mut response.headers, allowance);
    }
    Ok(response)
}

/// Parses the body, a JSON object. Unknown fields are ignored.
fn parse(body: &[u8], key: Option<IdempotencyKey>) -> Result<DraftFields> {
    let body: Body = json::parse(body)?;
    let required = |value: Option<String>, field| value.ok_or_else(|| Error::invalid(field, "is required"));
    let data = body.data.map(|data| Data::parse(data.get())).transpose()?;
    Ok(DraftFields {
        chat: required(body.chat, Field::Chat)?,
        text: match (body.text, &data) {
            (None, Some(_)) => String::new(),
            (text, _) => required(text, Field::Text)?,
        },
        data,
        sender: body.sender,
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Caller;
    use crate::domain::chat::Chat;
    use crate::domain::message::{Draft, MAX_TEXT_BYTES};
    use crate::fuzz::{fuzz, near};
    use crate::http::field::field_at_fault;

    /// The message that anybody's send has.
    fn draft(body: &[u8]) -> Result<Draft> {
        service::draft(&Caller::anybody(), parse(body, None)?)
    }

    #[test]
    fn a_send_is_read_whatever_else_its_body_has() {
        let expected = Draft::parse(Chat::parse("a:b").unwrap(), "hi".into(), None, "a".into(), None).unwrap();
        let deep = format!(
            r#"{{"x":{}{},"chat":"a:b","text":"hi","sender":"a"}}"#,
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        for body in [
            r#"{"chat":"a:b","text":"hi","sender":"a"}"#,
            " {\"sender\":\"a\",\n\"text\":\"\\u0068i\",\"chat\":\"a:b\"} ",
            r#"{"chat":"a:b","text":"hi","sender":"a","send_time":1e400,"x":null}"#,
            &deep,
        ] {
            assert_eq!(draft(body.as_bytes()).as_ref(), Ok(&expected));
        }
    }

    #[test]
    fn a_send_that_is_not_one_names_what_is_wrong() {
        let deep = format!("{{\"chat\":{}", "[".repeat(10_000));
        for (body, at_fault) in [
            (&b""[..], "body"),
            (b"null", "body"),
            (b"[]", "body"),
            (br#"["a:b","hi","a"]"#, "body"),
            (b"hi", "body"),
            (br#"{"chat":"a:b","text":"hi","#, "body"),
            (br#"{"chat":"a:b","text":"hi","sender":"a"} x"#, "body"),
            (br#"{"chat":"a:b","text":"\ud800","sender":"a"}"#, "text"),
            (b"{\"chat\":\"a:b\",\"text\":\"\xff\",\"sender\":\"a\"}", "text"),
            (br#"{"chat":"a:b","chat":"a:c","text":"hi","sender":"a"}"#, "body"),
            (deep.as_bytes(), "chat"),
            (b"{}", "chat"),
            (br#"{"chat":null,"text":"hi","sender":"a"}"#, "chat"),
            (br#"{"chat":["a","b"],"text":"hi","sender":"a"}"#, "chat"),
            (br#"{"chat":"a:b","sender":"a"}"#, "text"),
            (br#"{"chat":"a:b","text":7,"sender":"a"}"#, "text"),
            (br#"{"chat":"a:b","text":"hi"}"#, "sender"),
            (br#"{"chat":"a:b","data":[],"sender":"a"}"#, "data"),
            (br#"{"chat":"a:b","data":"{}","sender":"a"}"#, "data"),
            (br#"{"chat":"a:b","data":{"a":"\ud800"},"sender":"a"}"#, "data"),
            (b"{\"chat\":\"a:b\",\"data\":{\"a\":\"\xff\"},\"sender\":\"a\"}", "data"),
            (br#"{"chat":"a:b","data":null,"sender":"a"}"#, "text"),
        ] {
            assert_eq!(
                field_at_fault(draft(body)),
                at_fault,
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn fuzz_sends() {
        let valid = &[
            r#"{"chat":"a:b","text":"hi","sender":"a"}"#,
            r#"{"chat":"a:b","data": {"a": [1e400, "\ud83d\ude00"]},"sender":"a"}"#,
            r#" {"x":[{}],"sender":"B","text":"\u0068\n","chat":"a:b"} "#,
        ];
        fuzz("sends", &near(valid), |body| {
            if let Ok(draft) = draft(&body) {
                let least = usize::from(draft.data().is_none());
                assert!((least..=MAX_TEXT_BYTES).contains(&draft.text().len()));
                assert!(draft.chat().members().contains(&draft.member()));
            }
        });
    }
}
