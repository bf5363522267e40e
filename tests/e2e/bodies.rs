//! Bodies that are refused as a whole: too large, or with a content encoding. The client reads why, on a connection that goes on.

use confab_kit::{Confab, TestResponse, to_its_end};
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_body_with_a_content_encoding_is_415_and_stores_nothing() {
    let confab = Confab::anywhere().start();
    let body = confab.body("a:b", "a", "hi");
    for codings in [
        &["gzip"][..],
        &["BR"],
        &["identity, gzip"],
        &["identity", "zstd"],
        &["x"],
    ] {
        for (method, path) in [(Method::POST, "/api/send"), (Method::GET, "/api/pull")] {
            let mut request = confab.build(method, path).body(body.clone());
            for coding in codings {
                request = request.header("content-encoding", *coding);
            }
            let answer = TestResponse::to(request).await;
            assert_eq!(answer.problem(), (415, Value::Null), "{path} {codings:?}");
            assert_eq!(answer.json()["type"], "/problems/unsupported-encoding");
            assert_eq!(answer.header("accept-encoding"), "identity");
        }
    }
    if let Some(redis) = confab.redis() {
        assert_eq!(redis.keys("*").await, Vec::<String>::new());
    }
    for coding in ["identity", "Identity", ""] {
        let request = confab.build(Method::POST, "/api/send").body(body.clone());
        TestResponse::to(request.header("content-encoding", coding)).await.ok();
    }
    // Without a body there is nothing to decode.
    let request = confab.build(Method::GET, "/api/pull?chat=a:b");
    let answer = TestResponse::to(request.header("content-encoding", "gzip")).await.ok();
    assert_eq!(answer["messages"].as_array().unwrap().len(), 3);
}

/// Sends raw bytes, and then `GET /ping` on the same connection. Returns all that comes back.
async fn and_ping(confab: &Confab, request: Vec<u8>) -> String {
    let mut stream = TcpStream::connect(confab.host()).await.unwrap();
    let ping = b"GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for bytes in [&request[..], ping] {
        stream.write_all(bytes).await.unwrap();
    }
    let mut answers = String::new();
    to_its_end(stream.read_to_string(&mut answers)).await.unwrap();
    answers
}

#[tokio::test]
async fn a_client_that_is_still_sending_reads_why_its_body_is_refused() {
    let confab = Confab::anywhere().start();
    let large = " ".repeat(1024 * 1024);
    let length = large.len();
    for (headers, status) in [("", 413), ("content-encoding: gzip\r\n", 415)] {
        for body in [
            format!("content-length: {length}\r\n\r\n{large}"),
            format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n{large}\r\n0\r\n\r\n"),
        ] {
            let request = format!("POST /api/send HTTP/1.1\r\nhost: x\r\n{headers}{body}");
            let answers = and_ping(&confab, request.into_bytes()).await;
            assert!(answers.starts_with(&format!("HTTP/1.1 {status} ")), "{answers}");
            assert!(answers.ends_with(r#"{"message":"pong"}"#), "{answers}");
        }
    }
    assert_eq!(confab.log(), "");
}
