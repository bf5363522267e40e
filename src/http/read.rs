//! `POST /api/read`: marks what a person has read.

use crate::config;
use crate::domain::caller::Caller;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Field, Result};
use crate::domain::mark::{MarkFields, MarkRequest};
use crate::http::body;
use crate::http::call::Call;
use crate::http::json::Object;
use crate::http::response::{self, Response};
use crate::service::{self, Session};
use serde::Serialize;

/// The fields of the body.
const FIELDS: [Field; 5] = [Field::Name, Field::Chat, Field::Position, Field::Index, Field::Epoch];

#[derive(Serialize)]
struct Marked {
    chat: String,
    epoch: u64,
    read: u64,
    read_position: String,
    unread: u64,
}

/// Answers with the mark as it is stored.
pub(super) async fn handle(call: Call) -> Result<Response> {
    let session = Session::new(config::get().await?, call.began);
    let body = body::read(&session, call.request).await?;
    let request = parse(call.caller.as_ref(), &body)?;
    let mark = service::read(&session, &request).await?;
    let marked = Marked {
        chat: request.chat.to_string(),
        epoch: mark.epoch.map_or(0, Epoch::get),
        read: mark.read.next_index(),
        read_position: mark.read.to_string(),
        unread: mark.unread,
    };
    response::ok(&marked)
}

/// Parses the body, a JSON object. Unknown fields are ignored.
fn parse(caller: Option<&Caller>, body: &[u8]) -> Result<MarkRequest> {
    let mut fields = Object::parse(body, &FIELDS)?;
    let reader = service::reader(caller, fields.text(Field::Name).as_deref())?;
    let fields = MarkFields {
        chat: fields.required(Field::Chat)?,
        position: fields.text(Field::Position),
        index: fields.number(Field::Index),
        epoch: fields.number(Field::Epoch),
    };
    service::mark(caller, reader, &fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use crate::http::field::field_at_fault;

    #[test]
    fn a_mark_that_is_not_one_names_what_is_wrong() {
        _ = parse(None, br#"{"name":"B","chat":"a:b","position":"0","x":1}"#).unwrap();
        for (body, at_fault) in [
            (&b""[..], "body"),
            (b"[]", "body"),
            (b"{}", "name"),
            (br#"{"name":"","chat":"a:b","index":0}"#, "name"),
            (br#"{"name":"c","chat":"a:b","index":0}"#, "name"),
            (br#"{"name":7,"chat":"a:b","index":0}"#, "name"),
            (br#"{"name":"a","index":0}"#, "chat"),
            (br#"{"name":"a","chat":"a:b"}"#, "position"),
            (br#"{"name":"a","chat":"a:b","position":"17"}"#, "position"),
            (br#"{"name":"a","chat":"a:b","position":17}"#, "position"),
            (br#"{"name":"a","chat":"a:b","index":-1}"#, "index"),
            (br#"{"name":"a","chat":"a:b","index":0,"epoch":"17"}"#, "epoch"),
        ] {
            assert_eq!(
                field_at_fault(parse(None, body)),
                at_fault,
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn fuzz_reads() {
        let valid = &[
            r#"{"name":"a","chat":"a:b","position":"17-4-18"}"#,
            r#"{"chat":"b:A","index":4,"name":"a","epoch":17}"#,
        ];
        fuzz("reads", &near(valid), |body| {
            if let Ok(request) = parse(None, &body) {
                assert!(request.chat.members().contains(&&request.reader));
            }
        });
    }
}
