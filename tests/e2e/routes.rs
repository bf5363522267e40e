//! Routes and methods: each path that exists, and the answers to those that do not.

use confab_kit::{Confab, Port};
use reqwest::Method;
use serde_json::Value;

#[tokio::test]
async fn ping_answers_without_redis() {
    let nothing = Port::reserve();
    let confab = Confab::start(&nothing);
    let answer = confab.get("/ping").await;
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("content-length"), "18");
    assert_eq!(answer.body, br#"{"message":"pong"}"#);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", ["hi"]).await;
    for (path, status) in [
        ("/ping", 200),
        ("/api/pull?chat=a:b", 200),
        ("/api/pull", 400),
        ("/nothing", 404),
    ] {
        let (get, head) = (confab.get(path).await, confab.request(Method::HEAD, path, "").await);
        assert_eq!((get.status, head.status), (status, status), "{path}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.body, b"", "{path}");
        // A shared cache would give one chat's page to the reader of another.
        assert_eq!(
            [get.header("cache-control"), head.header("cache-control")],
            ["no-store"; 2],
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_is_405_with_the_allowed_ones() {
    let confab = Confab::anywhere().start();
    for path in [
        "/index.html",
        "/ping/",
        "/api",
        "/api/send/",
        "/api/pullx",
        "/PING",
        "/%70ing",
    ] {
        assert_eq!(confab.get(path).await.problem(), (404, Value::Null), "{path}");
    }
    for (method, path, allowed) in [
        (Method::POST, "/ping", "GET, HEAD"),
        (Method::GET, "/api/send", "POST"),
        (Method::HEAD, "/api/send", "POST"),
        (Method::PUT, "/api/send", "POST"),
        (Method::POST, "/api/pull", "GET, HEAD"),
        (Method::OPTIONS, "/api/pull", "GET, HEAD"),
        (Method::DELETE, "/api/pull", "GET, HEAD"),
        (Method::from_bytes(b"BREW").unwrap(), "/api/pull", "GET, HEAD"),
    ] {
        let answer = confab.request(method.clone(), path, "").await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, allowed),
            "{method} {path}"
        );
        if method != Method::HEAD {
            answer.problem();
        }
    }
}
