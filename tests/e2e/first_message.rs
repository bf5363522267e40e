//! `first_message = service`: a person sends only in a chat that the app's own service has opened.

use crate::delete::service;
use confab_kit::token::{SECRET, token};
use confab_kit::{Builder, Cluster, Confab, Redis, TestResponse, log_key};
use reqwest::Method;
use serde_json::{Value, json};

fn start(builder: Builder) -> Confab {
    let confab = builder.variable("auth", "required").variable("auth_secret", SECRET);
    confab
        .variable("first_message", "service")
        .variable("send_limit", 2)
        .variable("send_window_s", 3600)
        .start()
}

async fn post(confab: &Confab, token: &str, path: &str, body: Value) -> TestResponse {
    TestResponse::to(
        confab
            .build(Method::POST, path)
            .bearer_auth(token)
            .body(body.to_string()),
    )
    .await
}

#[track_caller]
fn assert_closed(answer: &TestResponse) {
    assert_eq!(answer.problem(), (403, json!("chat")));
    assert_eq!(answer.json()["type"], "/problems/not-open");
}

async fn only_an_open_chat_takes_messages(confab: &Confab, clear: impl AsyncFn()) {
    let open = |open: bool| json!({ "chat": "a:b", "open": open });
    for _ in 0..3 {
        assert_closed(&confab.send_as(&token("a"), "a:b", "hi", Some("k")).await);
    }
    let answer = post(confab, &token("a"), "/api/chat", open(true)).await;
    assert_eq!(answer.problem(), (403, json!("open")));
    let set = post(confab, &service(), "/api/chat", open(true)).await.ok();
    assert_eq!(set, json!({ "chat": "a:b", "open": true }));
    let first = confab.send_as(&token("a"), "a:b", "hi", Some("k")).await;
    // What was refused did not count.
    assert_eq!((first.status, first.header("ratelimit").contains("r=1")), (200, true));
    // Neither trimming nor removal closes it.
    clear().await;
    confab.send_as(&token("b"), "a:b", "ho", None).await.ok();
    post(confab, &service(), "/api/chat", open(false)).await.ok();
    assert_closed(&confab.send_as(&token("a"), "a:b", "hi", None).await);
    let again = confab.send_as(&token("a"), "a:b", "hi", Some("k")).await;
    assert!(
        again.status == 403 || again.header("idempotency-replayed") == "true",
        "{}",
        again.status
    );
    // The service itself may write at any time.
    let message = json!({ "chat": "a:b", "text": "from the app", "sender": "a" });
    post(confab, &service(), "/api/send", message).await.ok();
    // Reading is as ever.
    let page = confab.build(Method::GET, "/api/pull?chat=a:b").bearer_auth(token("b"));
    assert_eq!(TestResponse::to(page).await.status, 200);
}

#[tokio::test]
async fn a_person_sends_only_in_an_open_chat() {
    let redis = Redis::start();
    let confab = start(Confab::on(&redis));
    only_an_open_chat_takes_messages(&confab, async || redis.delete(&log_key("a:b")).await).await;
}

#[tokio::test]
async fn a_person_sends_only_in_an_open_chat_of_a_cluster() {
    let cluster = Cluster::start().await;
    let confab = start(Confab::on_cluster(&cluster));
    only_an_open_chat_takes_messages(&confab, async || {}).await;
}

#[tokio::test]
async fn it_needs_callers_that_are_known() {
    let confab = Confab::anywhere().variable("first_message", "service").start();
    assert_eq!(confab.send("a:b", "a", "hi").await.status, 500);
    confab
        .logged("first_message is service, so the variable auth must be required")
        .await;
}
