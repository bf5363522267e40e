//! Every row of the contract's tables: routes, fields, defaults, statuses, error bodies.

use crate::support::{Confab, Redis, texts};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn ping_answers_without_redis() {
    let confab = Confab::with(&[("redis_host", "127.0.0.1:1")]).await;
    let answer = confab.get("/ping").await;
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("content-length"), "18");
    assert_eq!(answer.body, br#"{"message":"pong"}"#);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn send_answers_with_the_index_and_the_time() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    let mut last = 0;
    for index in 0..3 {
        let sent = confab.send("a:b", "a", "hi").await.ok();
        assert_eq!(sent["index"], index);
        let time = sent["send_time"].as_u64().unwrap();
        // In microseconds: between 2020 and 2100.
        assert!((1_577_836_800_000_000..4_102_444_800_000_000).contains(&time), "{time}");
        assert!(time > last, "{time} is not after {last}");
        last = time;
    }
}

#[tokio::test]
async fn send_needs_no_content_type_and_ignores_unknown_fields() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    let client = reqwest::Client::new();
    for content_type in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
        let body = r#"{"chat":"a:b","text":"hi","sender":"a","send_time":5,"x":[{}]}"#;
        let request = client.post(format!("http://{}/api/send", confab.host())).body(body);
        let response = request.header("content-type", content_type).send().await.unwrap();
        assert_eq!(response.status(), 200, "{content_type}");
    }
    confab.post(r#"{"chat":"a:b","text":"hi","sender":"a"}"#).await.ok();
}

#[tokio::test]
async fn pull_returns_messages_as_they_were_sent() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    let mut sent = Vec::new();
    for (sender, text) in [("Alice", "hi"), ("bob", "<b>&\u{2028}\"\\ 😀 \u{0}"), ("ALICE", " ")] {
        let mut message = confab.send("Alice:bob", sender, text).await.ok();
        message["chat"] = json!("bob:ALICE");
        message["sender"] = json!(sender);
        message["text"] = json!(text);
        sent.push(message);
    }
    let page = confab.pull(json!({ "chat": "bob:ALICE" })).await;
    assert_eq!(page.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(page.header("content-length"), page.body.len().to_string());
    // The first message's time is the epoch: when the log began.
    assert_eq!(page.ok(), json!({ "messages": sent, "epoch": sent[0]["send_time"] }));
}

#[tokio::test]
async fn a_chat_without_messages_is_an_empty_page() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    for request in [
        json!({ "chat": "a:b" }),
        json!({ "chat": "a:b", "cursor": 7, "reverse": true }),
        json!({ "chat": "a:b", "before": 7 }),
    ] {
        assert_eq!(confab.pull(request).await.ok(), json!({ "messages": [], "epoch": 0 }));
    }
}

#[tokio::test]
async fn pull_takes_its_fields_from_the_body_or_the_query() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    confab.send_all("a b:{c}", "a b", ["0", "1", "2", "3"]).await;
    let query = "/api/pull?chat=a+b:%7Bc%7D&cursor=1&limit=2&reverse=true&before=4";
    let body = json!({ "chat": "a b:{c}", "cursor": 1, "limit": 2, "reverse": true, "before": 4 });
    let by_query = confab.get(query).await.ok();
    assert_eq!(texts(&by_query), ["2", "1"]);
    assert_eq!(confab.pull(body).await.ok(), by_query);
    // A body that is not empty wins, whatever the query says.
    let both = confab
        .request(Method::GET, "/api/pull?chat=x&limit=y", r#"{"chat":"A B:{C}"}"#)
        .await
        .ok();
    assert_eq!(texts(&both), ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn a_chat_is_one_whatever_its_order_and_letter_case() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    confab.send_all("Alice:Bob", "alice", ["1"]).await;
    confab.send_all("bob:alice", "BOB", ["2"]).await;
    for chat in ["alice:bob", "BOB:ALICE"] {
        assert_eq!(confab.texts(json!({ "chat": chat })).await, ["1", "2"]);
    }
    confab.send_all("me:ME", "Me", ["a note to myself"]).await;
    assert_eq!(confab.texts(json!({ "chat": "me:me" })).await, ["a note to myself"]);
}

#[tokio::test]
async fn head_answers_as_get_does_without_the_body() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
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
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405_with_the_right_ones() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    for path in ["/", "/ping/", "/api", "/api/send/", "/api/pullx", "/PING", "/%70ing"] {
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

#[tokio::test]
async fn a_wrong_send_is_refused_with_the_field_at_fault_and_nothing_is_stored() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    let long_name = "x".repeat(65);
    for (body, field) in [
        (String::new(), Value::Null),
        ("null".into(), Value::Null),
        ("{".into(), Value::Null),
        (r#"["a:b","hi","a"]"#.into(), Value::Null),
        (r#"{"chat":"a:b","text":"hi","sender":"a"}}"#.into(), Value::Null),
        (json!({ "text": "hi", "sender": "a" }).to_string(), json!("chat")),
        (
            json!({ "chat": "", "text": "hi", "sender": "" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": "ab", "text": "hi", "sender": "a" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": "a:b:c", "text": "hi", "sender": "a" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": ":b", "text": "hi", "sender": "b" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": "a:b\n", "text": "hi", "sender": "a" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": format!("a:{long_name}"), "text": "hi", "sender": "a" }).to_string(),
            json!("chat"),
        ),
        (json!({ "chat": "a:b", "sender": "a" }).to_string(), json!("text")),
        (
            json!({ "chat": "a:b", "text": "", "sender": "a" }).to_string(),
            json!("text"),
        ),
        (
            json!({ "chat": "a:b", "text": null, "sender": "a" }).to_string(),
            json!("text"),
        ),
        (
            json!({ "chat": "a:b", "text": 7, "sender": "a" }).to_string(),
            json!("text"),
        ),
        (json!({ "chat": "a:b", "text": "hi" }).to_string(), json!("sender")),
        (
            json!({ "chat": "a:b", "text": "hi", "sender": "c" }).to_string(),
            json!("sender"),
        ),
        (
            json!({ "chat": "a:b", "text": "hi", "sender": "" }).to_string(),
            json!("sender"),
        ),
    ] {
        assert_eq!(confab.post(body.clone()).await.problem(), (400, field), "{body}");
    }
    assert_eq!(redis.keys("*").await, Vec::<String>::new());
    assert_eq!(confab.log(), "", "the log is not for the mistakes of clients");
}

#[tokio::test]
async fn a_wrong_pull_is_refused_with_the_field_at_fault() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    for (field, value) in [
        ("chat", json!(null)),
        ("chat", json!("a")),
        ("chat", json!(5)),
        ("cursor", json!(-1)),
        ("cursor", json!("0")),
        ("cursor", json!(0.5)),
        ("limit", json!(-1)),
        ("limit", json!(-2_147_483_648)),
        ("limit", json!([])),
        ("reverse", json!("true")),
        ("reverse", json!(1)),
        ("before", json!(-9)),
        ("epoch", json!(-1)),
        ("epoch", json!("17")),
    ] {
        let mut request = json!({ "chat": "a:b" });
        request[field] = value;
        let told = request.to_string();
        assert_eq!(confab.pull(request).await.problem(), (400, json!(field)), "{told}");
    }
    for (query, field) in [
        ("", json!("chat")),
        ("?chat=", json!("chat")),
        ("?chat=a:b&limit=-1", json!("limit")),
        ("?chat=a:b&limit=ten", json!("limit")),
        ("?chat=a:b&cursor=99999999999999999999", json!("cursor")),
        ("?chat=a:b&reverse=yes", json!("reverse")),
        ("?chat=a:b&before=", json!("before")),
        ("?chat=a:b&epoch=x", json!("epoch")),
        ("?chat=a:b&chat=c:d", Value::Null),
    ] {
        let answer = confab.get(&format!("/api/pull{query}")).await;
        assert_eq!(answer.problem(), (400, field), "{query}");
    }
}

#[tokio::test]
async fn sizes_are_limited_and_the_limits_themselves_are_served() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    let (name, text) = ("é".repeat(64), "é".repeat(32 * 1024));
    confab.send(&format!("{name}:b"), &name, &text).await.ok();
    assert_eq!(
        confab.texts(json!({ "chat": format!("b:{name}") })).await,
        [text.as_str()]
    );

    let answer = confab.send("a:b", "a", &format!("{text}x")).await;
    assert_eq!(answer.problem(), (413, json!("text")));

    let mut body = json!({ "chat": "a:b", "text": "hi", "sender": "a" }).to_string();
    body.push_str(&" ".repeat(128 * 1024 - body.len()));
    confab.post(body.clone()).await.ok();
    assert_eq!(confab.post(body.clone() + " ").await.problem(), (413, Value::Null));
    assert_eq!(
        confab.request(Method::GET, "/api/pull", body + " ").await.problem(),
        (413, Value::Null)
    );
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi"]);
}
