//! A chat is deleted by the service, for both of its members.

use crate::delete::{delete, delete_all, service, start};
use confab_kit::token::{SECRET, token};
use confab_kit::{Cluster, Confab, Follower, Redis, TestResponse, numbers};
use reqwest::Method;
use serde_json::{Value, json};

async fn delete_chat(confab: &Confab, token: &str, epoch: &Value) -> TestResponse {
    let body = json!({ "chat": "a:b", "epoch": epoch }).to_string();
    let request = confab.build(Method::POST, "/api/delete").bearer_auth(token);
    TestResponse::to(request.body(body)).await
}

/// Fills a chat, deletes it, and shows what is left on both confabs: an open one, and one that knows who calls.
async fn a_deleted_chat_is_gone_for_both(open: &Confab, closed: &Confab) {
    open.send_all("a:c", "a", ["elsewhere"]).await;
    let first = open.send_keyed("a:b", "a", "0", "k").await.ok();
    open.send_all("a:b", "b", numbers(1..5)).await;
    delete_all(open, closed, "a:b", &[2]).await;
    open.read_all("a:b", "a").await;
    open.set(json!({ "chat": "a:b", "name": "a", "muted": true }))
        .await
        .ok();
    let page = open.pull(json!({ "chat": "a:b" })).await.ok();
    let epoch = &page["epoch"];
    let mut follower = Follower::start(open, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(4).await, [0, 1, 3, 4]);
    assert_eq!(follower.next().await.name, "deleted");
    let mut inbox = Follower::of_inbox(open, "name=a", None);
    inbox.next().await;
    for (token, epoch, status, field) in [
        (token("a"), epoch, 400, "index"),
        (token("c"), epoch, 403, "chat"),
        (service(), &json!(17), 410, "epoch"),
    ] {
        let answer = delete_chat(closed, &token, epoch).await;
        assert_eq!(answer.problem(), (status, json!(field)));
    }
    assert_eq!(delete_chat(open, "x", epoch).await.problem(), (403, Value::Null));
    assert_eq!(open.texts(json!({ "chat": "a:b" })).await.len(), 4);
    for _ in 0..2 {
        delete_chat(closed, &service(), epoch).await.ok();
    }
    let empty = open.pull(json!({ "chat": "a:b" })).await.ok();
    assert_eq!((&empty["messages"], &empty["epoch"]), (&json!([]), &json!(0)));
    assert_eq!((open.inbox("a").await.len(), open.inbox("b").await.len()), (1, 0));
    // What the two have is void.
    let reset = follower.next().await;
    assert_eq!((reset.name.as_str(), &reset.data["index"]), ("reset", &json!(0)));
    let gone = inbox.next().await;
    assert_eq!((gone.name.as_str(), &gone.data["chat"]), ("gone", &json!("a:b")));
    let after = open.pull(json!({ "chat": "a:b", "after": page["position"] })).await;
    assert_eq!((after.status, &after.json()["index"]), (410, &json!(0)));
    let message = &page["messages"][0];
    assert_eq!(delete(closed, &service(), "a:b", message, epoch).await.status, 410);
    // A retry of an old key is a new message now, of a later log.
    let again = open.send_keyed("a:b", "a", "0", "k").await;
    assert_eq!(again.header("idempotency-replayed"), "");
    assert_eq!(again.json()["index"], 0);
    assert!(again.json()["send_time"].as_u64() > first["send_time"].as_u64());
    assert!(open.epoch("a:b").await > epoch.as_u64().unwrap());
    assert_eq!(open.inbox_chat("b", "a:b").await["unread"], 1);
    // What was set stays.
    assert_eq!(open.inbox_chat("a", "a:b").await["muted"], true);
    assert_eq!(follower.next().await.data["text"], "0");
    // The deletion of the old log says nothing of this one.
    assert_eq!(
        delete_chat(closed, &service(), epoch).await.problem(),
        (410, json!("epoch"))
    );
    assert_eq!(open.texts(json!({ "chat": "a:b" })).await, ["0"]);
}

#[tokio::test]
async fn a_deleted_chat_is_gone_for_both_and_its_next_log_is_later() {
    let redis = Redis::start();
    let (_, closed) = start(&redis);
    let open = Confab::on(&redis).variable("stream_heartbeat_s", 1).start();
    a_deleted_chat_is_gone_for_both(&open, &closed).await;
    assert_eq!(redis.keys("confab:{a:b}:holes").await, [""; 0]);
}

#[tokio::test]
async fn a_deleted_chat_is_gone_in_a_cluster() {
    let cluster = Cluster::start().await;
    let closed = Confab::on_cluster(&cluster).variable("auth", "required");
    let closed = closed.variable("auth_secret", SECRET).start();
    let open = Confab::on_cluster(&cluster).variable("stream_heartbeat_s", 1).start();
    a_deleted_chat_is_gone_for_both(&open, &closed).await;
}

#[tokio::test]
async fn the_next_log_is_later_though_the_clock_was_set_back() {
    let (redis, clock) = Redis::with_clock();
    let (open, closed) = start(&redis);
    open.send_all("a:b", "a", numbers(0..3)).await;
    let epoch = open.epoch("a:b").await;
    delete_chat(&closed, &service(), &json!(epoch)).await.ok();
    clock.set(-3600);
    open.send_all("a:b", "a", ["later"]).await;
    assert!(open.epoch("a:b").await > epoch);
}

#[tokio::test]
async fn a_chat_with_oneself_is_deleted_too() {
    let redis = Redis::start();
    let (open, closed) = start(&redis);
    open.send_all("a:a", "a", ["note", "other"]).await;
    let epoch = open.epoch("a:a").await;
    delete_all(&open, &closed, "a:a", &[1]).await;
    assert_eq!(open.inbox_chat("a", "a:a").await["last"]["text"], "note");
    let body = json!({ "chat": "a:a", "epoch": epoch }).to_string();
    let request = closed.build(Method::POST, "/api/delete").bearer_auth(service());
    TestResponse::to(request.body(body)).await.ok();
    assert_eq!(open.inbox("a").await.len(), 0);
}
