//! The fields of send and pull, their defaults and what comes back.

use confab_kit::{Confab, TestResponse, texts};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn send_returns_the_index_and_the_time() {
    let confab = Confab::anywhere().start();
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
    let confab = Confab::anywhere().start();
    for content_type in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
        let body = confab
            .body("a:b", "a", "hi")
            .replace('{', r#"{"send_time":5,"x":[[]],"#);
        let request = confab.build(Method::POST, "/api/send").body(body);
        let response = TestResponse::to(request.header("content-type", content_type)).await;
        assert_eq!(response.status, 200, "{content_type}");
    }
    confab.post(confab.body("a:b", "a", "hi")).await.ok();
}

#[tokio::test]
async fn pull_returns_messages_as_they_were_sent() {
    let confab = Confab::anywhere().start();
    let mut sent = Vec::new();
    for (sender, text) in [("Alice", "hi"), ("bob", "<b>&\u{2028}\"\\ 😀 \u{0}"), ("ALICE", " ")] {
        let mut message = confab.send("Alice:bob", sender, text).await.ok();
        message["chat"] = json!(confab.chat("bob:ALICE"));
        message["sender"] = json!(confab.name(sender));
        message["member"] = json!(confab.name(sender).to_lowercase());
        message["text"] = json!(text);
        sent.push(message);
    }
    let page = confab.pull(json!({ "chat": "bob:ALICE" })).await;
    assert_eq!(page.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(page.header("content-length"), page.body.len().to_string());
    // The epoch is the time of the first message: when the log began.
    let (epoch, last) = (&sent[0]["send_time"], &sent[2]["send_time"]);
    let position = format!("{epoch}-2-{last}");
    assert_eq!(
        page.ok(),
        json!({ "messages": sent, "epoch": epoch, "position": position })
    );
}

#[tokio::test]
async fn a_chat_without_messages_is_an_empty_page() {
    let confab = Confab::anywhere().start();
    for request in [
        json!({ "chat": "a:b" }),
        json!({ "chat": "a:b", "cursor": 7, "reverse": true }),
        json!({ "chat": "a:b", "before": 7 }),
    ] {
        assert_eq!(
            confab.pull(request).await.ok(),
            json!({ "messages": [], "epoch": 0, "position": "0" })
        );
    }
}

#[tokio::test]
async fn pull_takes_its_fields_from_the_body_or_the_query() {
    let confab = Confab::anywhere().start();
    confab.send_all("a b:{c}", "a b", ["0", "1", "2", "3"]).await;
    let query = "/api/pull?chat=a+b:%7Bc%7D&cursor=1&limit=2&reverse=true&before=4";
    let body = json!({ "chat": "a b:{c}", "cursor": 1, "limit": 2, "reverse": true, "before": 4 });
    let by_query = confab.get(query).await.ok();
    assert_eq!(texts(&by_query), ["2", "1"]);
    assert_eq!(confab.pull(body).await.ok(), by_query);
    // A body that is not empty takes precedence over the query.
    let body = json!({ "chat": confab.chat("A B:{C}") });
    let both = confab
        .request(Method::GET, "/api/pull?chat=x&limit=y", body.to_string())
        .await
        .ok();
    assert_eq!(texts(&both), ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn the_order_and_letter_case_of_names_do_not_matter() {
    let confab = Confab::anywhere().start();
    confab.send_all("Alice:Bob", "alice", ["1"]).await;
    confab.send_all("bob:alice", "BOB", ["2"]).await;
    for chat in ["alice:bob", "BOB:ALICE"] {
        assert_eq!(confab.texts(json!({ "chat": chat })).await, ["1", "2"]);
    }
    confab.send_all("me:ME", "Me", ["a note to myself"]).await;
    assert_eq!(confab.texts(json!({ "chat": "me:me" })).await, ["a note to myself"]);
}
