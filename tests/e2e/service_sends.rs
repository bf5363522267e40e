//! What an app's own backend sends in a person's name: the person has not read the chat by that.

use confab_kit::token::{SECRET, claims, hs256, token};
use confab_kit::{Confab, Redis, TestResponse, log_key};
use reqwest::Method;
use serde_json::json;

/// A confab that everybody reads, and one that asks who sends, on one Redis.
fn start(redis: &Redis) -> (Confab, Confab) {
    let closed = Confab::on(redis).variable("auth", "required");
    (Confab::start(redis), closed.variable("auth_secret", SECRET).start())
}

/// Sends a message in a person's name, as a service.
async fn send_for(confab: &Confab, sender: &str, chat: &str) {
    let mut claims = claims("backend", 60);
    claims["scope"] = json!("confab:service");
    let body = json!({ "chat": chat, "text": "hi", "sender": sender }).to_string();
    let request = confab.build(Method::POST, "/api/send");
    let request = request.bearer_auth(hs256(SECRET, &claims)).body(body);
    TestResponse::to(request).await.ok();
}

/// How many messages are unread by each of two people.
async fn unread(confab: &Confab, [one, other]: [&str; 2]) -> [u64; 2] {
    let chat = format!("{one}:{other}");
    let of = async |name: &str| confab.inbox_chat(name, &chat).await["unread"].as_u64().unwrap();
    [of(one).await, of(other).await]
}

#[tokio::test]
async fn a_service_s_send_does_not_move_the_sender_s_mark() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    let people = ["alice", "bob"];
    for _ in 0..2 {
        confab.send_as(&token("bob"), "alice:bob", "hi", None).await.ok();
    }
    assert_eq!(unread(&open, people).await, [2, 0]);
    send_for(&confab, "alice", "alice:bob").await;
    assert_eq!(unread(&open, people).await, [3, 1]);
    // A person's own send does.
    confab.send_as(&token("alice"), "alice:bob", "hi", None).await.ok();
    assert_eq!(unread(&open, people).await, [0, 2]);
    send_for(&confab, "alice", "alice:bob").await;
    send_for(&confab, "bob", "alice:bob").await;
    assert_eq!(unread(&open, people).await, [2, 4]);
}

#[tokio::test]
async fn a_chat_that_a_service_began_is_unread_by_both() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    send_for(&confab, "alice", "alice:bob").await;
    assert_eq!(unread(&open, ["alice", "bob"]).await, [1, 1]);
    // No log from before there were marks, in which nothing would be new to bob.
    confab.send_as(&token("alice"), "alice:bob", "hi", None).await.ok();
    assert_eq!(unread(&open, ["alice", "bob"]).await, [0, 2]);
    send_for(&confab, "carol", "carol:carol").await;
    assert_eq!(unread(&open, ["carol", "carol"]).await, [0, 0]);
}

#[tokio::test]
async fn what_a_log_without_marks_had_stays_read() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    for time in ["1", "2"] {
        let log = log_key("alice:bob");
        redis.command::<()>(["XADD", &log, "1-*", time, "bob:hi"]).await;
    }
    send_for(&confab, "alice", "alice:bob").await;
    assert_eq!(unread(&open, ["alice", "bob"]).await, [1, 1]);
}
