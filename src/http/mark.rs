//! `POST /api/read`: marks what a person has read.

use crate::config;
use crate::domain::entry_id::Epoch;
use crate::domain::error::Result;
use crate::domain::mark::MarkFields;
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
    position: Option<String>,
    index: Option<u64>,
    epoch: Option<u64>,
}

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
    let fields = parse(&body::read(&session, call.request).await?)?;
    let mark = service::mark(&session, &call.caller, fields).await?;
    let marked = Marked {
        chat: mark.chat.to_string(),
        epoch: mark.epoch.map_or(0, Epoch::get),
        read: mark.read.next_index(),
        read_position: mark.read.to_string(),
        unread: mark.unread,
    };
    response::ok(&marked)
}

/// Parses the body, a JSON object. Unknown fields are ignored.
fn parse(body: &[u8]) -> Result<MarkFields> {
    let body: Body = json::parse(body)?;
    Ok(MarkFields {
        name: body.name,
        chat: body.chat,
        position: body.position,
        index: body.index,
        epoch: body.epoch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Caller;
    use crate::domain::mark::MarkRequest;
    use crate::fuzz::{fuzz, near};
    use crate::http::field::field_at_fault;

    /// The mark that anybody's body sets.
    fn request(body: &[u8]) -> Result<MarkRequest> {
        service::mark_request(&Caller::anybody(), &parse(body)?)
    }

    #[test]
    fn a_mark_that_is_not_one_names_what_is_wrong() {
        _ = request(br#"{"name":"B","chat":"a:b","position":"0","x":1}"#).unwrap();
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
                field_at_fault(request(body)),
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
            if let Ok(request) = request(&body) {
                assert!(request.chat.members().contains(&&request.reader));
            }
        });
    }
}
