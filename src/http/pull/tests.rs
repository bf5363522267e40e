//! Tests of how a pull is read from a body or a query string.

use super::*;
use crate::domain::chat::Chat;
use crate::domain::page::{Basis, Limit, MAX_LIMIT, Span};
use crate::fuzz::{fuzz, near};
use crate::http::field::field_at_fault;
use std::time::Duration;

fn request(body: &str, query: &str) -> Result<PageRequest> {
    PageRequest::parse(&parse(body.as_bytes(), query)?)
}

fn expected(span: Span, limit: Option<u64>, epoch: Option<u64>) -> PageRequest {
    PageRequest {
        chat: Chat::parse("a b:ö").unwrap(),
        span,
        limit: Limit::new(limit),
        basis: epoch.and_then(Epoch::new).map_or(Basis::Any, Basis::Epoch),
        named: "a b:ö".len(),
    }
}

#[test]
fn a_pull_is_read_from_its_body_or_its_query() {
    let back = Span::Back {
        skip: 3,
        before: Some((1 << 53) - 1),
    };
    let full = expected(back, Some(7), Some(17));
    let from = |from, seconds| Span::From {
        from,
        wait: Duration::from_secs(seconds),
    };
    let waiting = expected(from(3, 25), Some(7), Some(17));
    let bare = expected(from(0, 0), None, None);
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
        (
            r#"{"chat":"a b:ö","cursor":3,"limit":7,"epoch":17,"wait":30}"#,
            "",
            &waiting,
        ),
        ("", "chat=a+b:%C3%B6&cursor=3&limit=7&epoch=17&wait=30", &waiting),
        ("", "chat=a%20b%3aö&&unknown=%31&x", &bare),
        (
            r#"{"chat":"a b:ö","cursor":null,"limit":0,"reverse":false,"epoch":null,"wait":0}"#,
            "",
            &bare,
        ),
        (r#"{"chat":"a b:ö"}"#, "chat=x&cursor=y", &bare),
    ] {
        assert_eq!(request(body, query).as_ref(), Ok(expected), "{body} {query}");
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
        (r#"{"chat":"a:b","after":17}"#, "after"),
        (r#"{"chat":"a:b","after":"17-1"}"#, "after"),
        (r#"{"chat":"a:b","after":"0","reverse":true}"#, "after"),
        (r#"{"chat":"a:b""#, "body"),
        (" ", "body"),
    ] {
        assert_eq!(field_at_fault(request(body, "chat=a:b")), at_fault, "{body}");
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
        ("chat=a:b&after=", "after"),
        ("chat=a:b&after=0&after=0", "after"),
        ("chat=a:b&reverse=1", "reverse"),
        ("chat=a:b&chat=a:b", "chat"),
        ("chat=a:%FF", "body"),
    ] {
        assert_eq!(field_at_fault(request("", query)), at_fault, "{query}");
    }
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
            if let Ok(request) = parse(body, &query).and_then(|fields| PageRequest::parse(&fields)) {
                assert!((1..=MAX_LIMIT).contains(&request.limit.get()));
            }
        }
    });
}
