//! Input from attackers and broken clients: it gets a clear answer, and the next request is served.

use confab_kit::{Confab, to_its_end};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn names_may_have_any_visible_characters_and_never_share_a_chat() {
    let confab = Confab::anywhere().start();
    let names = [
        "{",
        "}",
        "{}",
        "}{",
        "{a",
        "%",
        "%7B",
        "%7b7",
        "%257B",
        "'",
        "\"",
        "\\",
        "😀",
        "é",
        "e",
        " ",
        "  ",
        "*",
        "?",
        "[a]",
        "$",
        "log",
        "\u{202e}",
        "a\u{feff}",
        "confab",
        "-1",
        "a-0",
    ];
    for name in names {
        confab.send(&format!("{name}:other"), name, name).await.ok();
    }
    for name in names {
        let page = confab.texts(json!({ "chat": format!("OTHER:{name}") })).await;
        assert_eq!(page, [name], "{name}");
    }
    if let Some(redis) = confab.redis() {
        assert_eq!(redis.keys("*:log").await.len(), names.len());
    }
}

#[tokio::test]
async fn hostile_bodies_are_refused() {
    let confab = Confab::anywhere().start();
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let in_field = |field: &str, value: &str| {
        let body = confab.body("a:b", "a", "hi");
        let mut fields: Vec<_> = body.trim_matches(['{', '}']).split(',').collect();
        let hostile = format!("\"{field}\":{value}");
        fields.retain(|kept| !kept.starts_with(&format!("\"{field}\"")));
        fields.push(&hostile);
        format!("{{{}}}", fields.join(","))
    };
    for (body, field) in [
        (nested("[", "]").into_bytes(), Value::Null),
        (nested("{\"chat\":", "}").into_bytes(), json!("chat")),
        ("{\"chat\":".repeat(10_000).into_bytes(), json!("chat")),
        (in_field("chat", &nested("[", "]")).into_bytes(), json!("chat")),
        (
            in_field("text", "123456789012345678901234567890").into_bytes(),
            json!("text"),
        ),
        (in_field("chat", r#""a:\u0000""#).into_bytes(), json!("chat")),
        (in_field("chat", r#""a\u0000:b""#).into_bytes(), json!("chat")),
        (in_field("sender", r#""a\u0000""#).into_bytes(), json!("sender")),
        (in_field("text", r#""\ud83d""#).into_bytes(), json!("text")),
        (
            b"{\"chat\":\"a:b\",\"text\":\"\xc3\x28\",\"sender\":\"a\"}".to_vec(),
            json!("text"),
        ),
        (b"\xff\xfe{\0}\0".to_vec(), Value::Null),
        (
            b"\xef\xbb\xbf{\"chat\":\"a:b\",\"text\":\"hi\",\"sender\":\"a\"}".to_vec(),
            Value::Null,
        ),
        (
            b"{\"chat\":\"a:b\",\"text\":\"hi\",\"sender\":\"a\"".to_vec(),
            Value::Null,
        ),
        (vec![0; 1024], Value::Null),
        ("chat=a:b&text=hi&sender=a".into(), Value::Null),
    ] {
        let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(confab.post(body).await.problem(), (400, field), "{start}");
    }
    for (body, field) in [
        (in_field("cursor", "18446744073709551616"), "cursor"),
        (in_field("limit", "1e400"), "limit"),
        (in_field("before", "-18446744073709551616"), "before"),
        (in_field("reverse", &nested("[", "]")), "reverse"),
    ] {
        let answer = confab.request(Method::GET, "/api/pull", body.clone()).await;
        let (status, at_fault) = answer.problem();
        assert_eq!(status, 400);
        // The parser refuses a number that no double can hold.
        assert!(at_fault == field || at_fault.is_null(), "{field}: {at_fault}");
    }
    for query in ["?chat=a:%FF", "?chat=%80:b", "?chat=a:b%00", "?cursor=%FF&chat=a:b"] {
        let answer = confab.get(&format!("/api/pull{query}")).await;
        assert_eq!(answer.problem().0, 400, "{query}");
    }
    // An ignored value may be as deep as it likes.
    confab.post(in_field("unknown", &nested("[", "]"))).await.ok();
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi"]);
    assert_eq!(confab.log(), "");
}

/// Sends raw bytes, and returns what comes back until the connection is closed.
async fn raw(confab: &Confab, request: &str, close: bool) -> String {
    let mut stream = TcpStream::connect(confab.host()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    if close {
        stream.shutdown().await.unwrap();
    }
    let mut answer = Vec::new();
    // A reset after the answer ends the connection too.
    _ = to_its_end(stream.read_to_end(&mut answer)).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_truncated_body_stores_nothing() {
    let confab = Confab::anywhere().start();
    let body = confab.body("a:b", "a", "hi");
    let head = "POST /api/send HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    // The client leaves before its message is complete, and may get no answer.
    for request in [
        head.to_owned(),
        format!("{head}content-length: 100\r\n\r\n{body}"),
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len()),
    ] {
        let answer = raw(&confab, &request, true).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{request}: {answer}"
        );
    }
    // The client stays, but its body is malformed or ends early.
    for request in [
        format!("{head}content-length: -1\r\n\r\n{body}"),
        format!("{head}content-length: 20\r\n\r\n{body}"),
        format!(
            "{head}transfer-encoding: chunked\r\n\r\n10\r\n{}\r\n0\r\n\r\n",
            &body[..16]
        ),
        format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n{body}\r\n"),
    ] {
        let answer = raw(&confab, &request, false).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{request}: {answer}");
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, Vec::<String>::new());
    // The same bytes, complete, are a message.
    let complete = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    assert!(raw(&confab, &complete, false).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_body_in_chunks_is_read_unless_there_is_a_query() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", ["one"]).await;
    confab.send_all("c:d", "c", ["other"]).await;
    let chat = format!("\":\"{}\"}}", confab.chat("a:b"));
    let chunks = format!(
        "host: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{{\"chat\r\n{:x}\r\n{chat}\r\n0\r\n\r\n",
        chat.len()
    );
    let query = format!("/api/pull?chat={}", confab.chat("c:d"));
    for (path, text) in [("/api/pull", "one"), (&query, "other")] {
        let answer = raw(&confab, &format!("GET {path} HTTP/1.1\r\n{chunks}"), false).await;
        let field = format!("\"text\":\"{text}\"");
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains(&field),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn clients_that_break_off_do_not_disturb_others() {
    let confab = Confab::anywhere().start();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(confab.host()).await.unwrap();
        let request = "POST /api/send HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
        stream.write_all(request.as_bytes()).await.unwrap();
        drop(stream);
        confab.send("a:b", "a", "hi").await.ok();
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b", "limit": 100 })).await.len(), 40);
}
