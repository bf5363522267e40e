//! Reads the fields that HTTP clients send, from a JSON body or a query string.

use crate::chat::Chat;
use crate::error::{Error, Result};
use crate::live::{FollowRequest, Position, decimal};
use crate::message::{Draft, IdempotencyKey};
use crate::page::{self, Limit, Order, PageRequest};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The fields of a send, each as JSON has it.
#[derive(Deserialize)]
struct SendFields {
    chat: Option<String>,
    text: Option<String>,
    sender: Option<String>,
}

/// The fields of a pull, each as JSON has it.
#[derive(Default, Deserialize)]
struct PullFields {
    chat: Option<String>,
    cursor: Option<u64>,
    limit: Option<u64>,
    reverse: Option<bool>,
    before: Option<u64>,
    epoch: Option<u64>,
    wait: Option<u64>,
}

/// Reads the message of a send from its body. Unknown fields are ignored.
pub fn draft(body: &[u8], key: Option<IdempotencyKey>) -> Result<Draft> {
    let fields: SendFields = from_json(body)?;
    Draft::parse(
        required("chat", fields.chat)?,
        required("text", fields.text)?,
        required("sender", fields.sender)?,
        key,
    )
}

/// Reads what a pull asks for from its body, or from its query string where the body is empty. Unknown fields are ignored.
pub fn page_request(body: &[u8], query: &str) -> Result<PageRequest> {
    let fields: PullFields = if body.is_empty() {
        from_query(query)?
    } else {
        from_json(body)?
    };
    Ok(PageRequest {
        chat: Chat::parse(required("chat", fields.chat)?)?,
        cursor: fields.cursor.unwrap_or(0),
        limit: Limit::of(fields.limit),
        order: match fields.reverse {
            Some(true) => Order::NewestFirst,
            Some(false) | None => Order::OldestFirst,
        },
        before: fields.before,
        epoch: fields.epoch,
        wait: page::wait(fields.wait)?,
    })
}

/// Reads where a stream begins: after the event of the header `Last-Event-ID` where there is one, or else at the query's cursor,
/// or else now. Unknown fields are ignored.
pub fn follow_request(query: &str, last_event_id: Option<&[u8]>) -> Result<FollowRequest> {
    let fields = from_query(query)?;
    let chat = Chat::parse(required("chat", fields.chat)?)?;
    let at_cursor = fields.cursor.map(|index| Position::at(fields.epoch, index));
    let from = match last_event_id {
        // As where there is none (WHATWG HTML, section 9.2.4).
        None | Some([]) => at_cursor,
        Some(id) => {
            let position = str::from_utf8(id).ok().and_then(Position::after_event);
            let malformed = || Error::field("Last-Event-ID", "must be the id of an event, as in 1763943000123456-41");
            Some(position.ok_or_else(malformed)?)
        }
    };
    Ok(FollowRequest { chat, from })
}

fn required(field: &'static str, value: Option<String>) -> Result<String> {
    value.ok_or_else(|| Error::field(field, "is required"))
}

/// What each field must be, in the words of an error.
const KINDS: [(&str, &str); 9] = [
    ("chat", "must be a string"),
    ("text", "must be a string"),
    ("sender", "must be a string"),
    ("cursor", WHOLE_NUMBER),
    ("limit", WHOLE_NUMBER),
    ("before", WHOLE_NUMBER),
    ("epoch", WHOLE_NUMBER),
    ("wait", WHOLE_NUMBER),
    ("reverse", "must be true or false"),
];
const WHOLE_NUMBER: &str = "must be a whole number from 0 to 18446744073709551615";

fn wrong_kind(name: &str) -> Option<Error> {
    let (field, kind) = KINDS.iter().find(|(field, _)| *field == name)?;
    Some(Error::field(field, *kind))
}

fn malformed(reason: String) -> Error {
    Error::Invalid { field: None, reason }
}

fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    // Serde would also take an array, its values in the order of the fields.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(malformed("the body must be a JSON object".into()));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let fields = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let why = error.into_inner();
        let of_field = if why.is_data() { wrong_kind(&field) } else { None };
        of_field.unwrap_or_else(|| malformed(format!("the body is not valid JSON: {why}")))
    })?;
    json.end()
        .map_err(|why| malformed(format!("the body is not valid JSON: {why}")))?;
    Ok(fields)
}

/// Reads a query string as HTML forms write it: percent-encoded UTF-8, `+` for a space.
fn from_query(query: &str) -> Result<PullFields> {
    let mut fields = PullFields::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (form_decoded(name)?, form_decoded(value)?);
        let repeated = match name.as_str() {
            "chat" => fields.chat.replace(value).is_some(),
            "cursor" => fields.cursor.replace(whole_number("cursor", &value)?).is_some(),
            "limit" => fields.limit.replace(whole_number("limit", &value)?).is_some(),
            "epoch" => fields.epoch.replace(whole_number("epoch", &value)?).is_some(),
            "before" => fields.before.replace(whole_number("before", &value)?).is_some(),
            "wait" => fields.wait.replace(whole_number("wait", &value)?).is_some(),
            "reverse" => fields.reverse.replace(truth("reverse", &value)?).is_some(),
            _ => false,
        };
        if repeated {
            return Err(malformed(format!("the query has more than one {name}")));
        }
    }
    Ok(fields)
}

fn form_decoded(encoded: &str) -> Result<String> {
    let spaced = encoded.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(String::from)
        .map_err(|_| malformed("the query is not valid UTF-8".into()))
}

fn whole_number(field: &'static str, value: &str) -> Result<u64> {
    decimal(value).ok_or_else(|| Error::field(field, WHOLE_NUMBER))
}

fn truth(field: &'static str, value: &str) -> Result<bool> {
    value.parse().map_err(|_| Error::field(field, "must be true or false"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use crate::message::MAX_TEXT_BYTES;
    use crate::page::MAX_LIMIT;
    use std::time::Duration;

    /// The field that an error names, or `body` for the whole of it.
    fn fault<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
        match result {
            Err(Error::Invalid { field, .. }) => field.unwrap_or("body"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_send_is_read_whatever_else_its_body_has() {
        let expected = Draft::parse("a:b".into(), "hi".into(), "a".into(), None).unwrap();
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
            assert_eq!(draft(body.as_bytes(), None).as_ref(), Ok(&expected));
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
            (br#"{"chat":"a:b","text":"\ud800","sender":"a"}"#, "body"),
            (b"{\"chat\":\"a:b\",\"text\":\"\xff\",\"sender\":\"a\"}", "body"),
            (br#"{"chat":"a:b","chat":"a:c","text":"hi","sender":"a"}"#, "body"),
            (deep.as_bytes(), "chat"),
            (b"{}", "chat"),
            (br#"{"chat":null,"text":"hi","sender":"a"}"#, "chat"),
            (br#"{"chat":["a","b"],"text":"hi","sender":"a"}"#, "chat"),
            (br#"{"chat":"a:b","sender":"a"}"#, "text"),
            (br#"{"chat":"a:b","text":7,"sender":"a"}"#, "text"),
            (br#"{"chat":"a:b","text":"hi"}"#, "sender"),
        ] {
            assert_eq!(fault(draft(body, None)), at_fault, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn fuzz_sends() {
        let valid = &[
            r#"{"chat":"a:b","text":"hi","sender":"a"}"#,
            r#" {"x":[{}],"sender":"B","text":"\u0068\n","chat":"a:b"} "#,
        ];
        fuzz("sends", &near(valid), |body| {
            if let Ok(draft) = draft(&body, None) {
                assert!((1..=MAX_TEXT_BYTES).contains(&draft.text().len()));
                assert!(draft.room().members().contains(&draft.member()));
            }
        });
    }

    #[test]
    fn fuzz_pulls() {
        let bodies = near(&[
            "",
            r#"{"chat":"a:b"}"#,
            r#"{"chat":"a:b","cursor":1,"limit":2,"reverse":true,"before":3,"epoch":4}"#,
        ]);
        let queries = near(&["chat=a:b", "chat=a%3Ab&cursor=1&limit=2&reverse=true&before=3&epoch=4"]);
        fuzz("pulls", &(bodies, queries), |(body, query)| {
            let query = String::from_utf8_lossy(&query);
            for body in [&body[..], b""] {
                if let Ok(request) = page_request(body, &query) {
                    assert!((1..=MAX_LIMIT).contains(&request.limit.get()));
                }
            }
            _ = follow_request(&query, Some(&body));
        });
    }

    fn request(cursor: u64, limit: Option<u64>, order: Order, before: Option<u64>, epoch: Option<u64>) -> PageRequest {
        PageRequest {
            chat: Chat::parse("a b:ö".into()).unwrap(),
            cursor,
            limit: Limit::of(limit),
            order,
            before,
            epoch,
            wait: Duration::from_secs(if epoch.is_some() { 30 } else { 0 }),
        }
    }

    #[test]
    fn a_pull_is_read_from_its_body_or_its_query() {
        let full = request(3, Some(7), Order::NewestFirst, Some(u64::MAX), Some(17));
        let bare = request(0, None, Order::OldestFirst, None, None);
        for (body, query, expected) in [
            (
                r#"{"chat":"a b:ö","cursor":3,"limit":7,"reverse":true,"before":18446744073709551615,"epoch":17,"wait":30}"#,
                "",
                &full,
            ),
            (
                "",
                "chat=a+b:%C3%B6&cursor=3&limit=7&reverse=true&before=18446744073709551615&epoch=17&wait=30",
                &full,
            ),
            ("", "chat=a%20b%3aö&&unknown=%31&x", &bare),
            (
                r#"{"chat":"a b:ö","cursor":null,"limit":0,"reverse":false,"epoch":null,"wait":0}"#,
                "",
                &bare,
            ),
            (r#"{"chat":"a b:ö"}"#, "chat=x&cursor=y", &bare),
        ] {
            assert_eq!(
                page_request(body.as_bytes(), query).as_ref(),
                Ok(expected),
                "{body} {query}"
            );
        }
    }

    #[test]
    fn a_pull_that_is_not_one_names_what_is_wrong() {
        for (body, at_fault) in [
            (r#"{"cursor":0}"#, "chat"),
            (r#"{"chat":"ab"}"#, "chat"),
            (r#"{"chat":"a:b","cursor":-1}"#, "cursor"),
            (r#"{"chat":"a:b","cursor":1.5}"#, "cursor"),
            (r#"{"chat":"a:b","cursor":1e1}"#, "cursor"),
            (r#"{"chat":"a:b","cursor":18446744073709551616}"#, "cursor"),
            (r#"{"chat":"a:b","limit":"10"}"#, "limit"),
            (r#"{"chat":"a:b","limit":-2147483648}"#, "limit"),
            (r#"{"chat":"a:b","reverse":"true"}"#, "reverse"),
            (r#"{"chat":"a:b","reverse":1}"#, "reverse"),
            (r#"{"chat":"a:b","before":-1}"#, "before"),
            (r#"{"chat":"a:b","epoch":"17"}"#, "epoch"),
            (r#"{"chat":"a:b","wait":31}"#, "wait"),
            (r#"{"chat":"a:b","wait":0.5}"#, "wait"),
            (r#"{"chat":"a:b""#, "body"),
            (" ", "body"),
        ] {
            assert_eq!(fault(page_request(body.as_bytes(), "chat=a:b")), at_fault, "{body}");
        }
        for (query, at_fault) in [
            ("", "chat"),
            ("chat", "chat"),
            ("chat=a:b&cursor=-1", "cursor"),
            ("chat=a:b&cursor=%2B1", "cursor"),
            ("chat=a:b&cursor=+1", "cursor"),
            ("chat=a:b&cursor=", "cursor"),
            ("chat=a:b&limit=18446744073709551616", "limit"),
            ("chat=a:b&before=1e3", "before"),
            ("chat=a:b&epoch=x", "epoch"),
            ("chat=a:b&wait=31", "wait"),
            ("chat=a:b&wait=1s", "wait"),
            ("chat=a:b&reverse=1", "reverse"),
            ("chat=a:b&chat=a:b", "body"),
            ("chat=a:%FF", "body"),
        ] {
            assert_eq!(fault(page_request(b"", query)), at_fault, "{query}");
        }
    }

    #[test]
    fn a_stream_begins_after_its_last_event_or_at_its_cursor_or_now() {
        let at = |epoch, index| Some(Position { epoch, index });
        for (query, last_event_id, from) in [
            ("chat=a:b", None, None),
            ("chat=a:b&cursor=0", None, at(None, 0)),
            ("chat=a:b&cursor=41&epoch=17&limit=5&x", None, at(Some(17), 41)),
            ("chat=a:b&cursor=0&epoch=0", None, at(None, 0)),
            ("chat=a:b&epoch=17", None, None),
            ("chat=a:b", Some("17-41"), at(Some(17), 42)),
            ("chat=a:b&cursor=7&epoch=16", Some("17-41"), at(Some(17), 42)),
            ("chat=a:b&cursor=7", Some(""), at(None, 7)),
        ] {
            let request = follow_request(query, last_event_id.map(str::as_bytes)).unwrap();
            assert_eq!(
                (request.chat.as_written(), request.from),
                ("a:b", from),
                "{query} {last_event_id:?}"
            );
        }
        for (query, last_event_id, at_fault) in [
            ("", None, "chat"),
            ("chat=a", None, "chat"),
            ("chat=a:b&cursor=-1", None, "cursor"),
            ("chat=a:b&cursor=1&epoch=x", None, "epoch"),
            ("chat=a:b&cursor=1&cursor=2", None, "body"),
            ("chat=a:b", Some(&b"41"[..]), "Last-Event-ID"),
            ("chat=a:b&cursor=1", Some(b"17-\xff"), "Last-Event-ID"),
        ] {
            assert_eq!(
                fault(follow_request(query, last_event_id)),
                at_fault,
                "{query} {last_event_id:?}"
            );
        }
    }
}
