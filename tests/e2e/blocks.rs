//! Blocks and mutes: a member's own side of a chat.

use confab_kit::token::{SECRET, claims, hs256, token};
use confab_kit::{Confab, Follower, Redis, TestResponse, numbers};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// A 403 to a send of somebody who is blocked.
#[track_caller]
pub(crate) fn assert_blocked(answer: &TestResponse) {
    assert_eq!(answer.problem(), (403, json!("chat")));
    assert_eq!(answer.json()["type"], "/problems/blocked");
}

pub(crate) fn block(name: &str, blocked: bool) -> Value {
    json!({ "name": name, "chat": "a:b", "blocked": blocked })
}

#[tokio::test]
async fn who_is_blocked_cannot_send_and_goes_on_reading() {
    let confab = Confab::anywhere().start();
    confab.send_keyed("a:b", "b", "before", "k").await.ok();
    let set = confab.set(block("A", true)).await.ok();
    let chat = confab.chat("a:b");
    assert_eq!(
        set,
        json!({ "chat": chat, "blocked": true, "muted": false, "open": false })
    );
    for key in ["new", "newer"] {
        assert_blocked(&confab.send_keyed("a:b", "B", "hi", key).await);
    }
    // A message that was sent before is sent; the text of its key is still its own.
    let again = confab.send_keyed("a:b", "b", "before", "k").await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
    assert_eq!(confab.send_keyed("a:b", "b", "other", "k").await.status, 422);
    // One's own sends pass, in this chat and elsewhere, and so do the other's elsewhere.
    confab.send("a:b", "a", "from a").await.ok();
    confab.send("b:c", "b", "hi").await.ok();
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["before", "from a"]);
    confab.read_all("a:b", "a").await;
    let seen = confab.inbox_chat("b", "a:b").await;
    assert_eq!((&seen["read_by_other"], &seen["unread"]), (&json!(2), &json!(1)));
    // Only who has blocked knows.
    assert_eq!((seen.get("blocked"), seen.get("muted")), (None, None));
    assert_eq!(confab.inbox_chat("a", "a:b").await["blocked"], true);
    confab.set(block("a", false)).await.ok();
    assert_eq!(confab.inbox_chat("a", "a:b").await.get("blocked"), None);
    // The key was not used up.
    let new = confab.send_keyed("a:b", "b", "hi", "new").await;
    assert_eq!((new.status, new.header("idempotency-replayed")), (200, ""));
}

#[tokio::test]
async fn each_side_is_set_by_itself_and_what_is_absent_stays() {
    let confab = Confab::anywhere().start();
    confab.send("a:b", "b", "hi").await.ok();
    for (body, blocked, muted) in [
        (json!({ "muted": true }), false, true),
        (json!({ "blocked": true }), true, true),
        (json!({ "muted": false }), true, false),
        (json!({ "blocked": true, "muted": null }), true, false),
        (json!({ "blocked": false, "muted": true }), false, true),
    ] {
        let mut body = body;
        (body["chat"], body["name"]) = (json!("B:A"), json!("a"));
        let set = confab.set(body.clone()).await.ok();
        assert_eq!(
            (&set["blocked"], &set["muted"]),
            (&json!(blocked), &json!(muted)),
            "{body}"
        );
        let entry = confab.inbox_chat("a", "a:b").await;
        assert_eq!(
            (entry.get("blocked").is_some(), entry.get("muted").is_some()),
            (blocked, muted),
            "{body}"
        );
        let other = confab.inbox_chat("b", "a:b").await;
        assert_eq!((other.get("blocked"), other.get("muted")), (None, None));
    }
    confab.set(block("b", true)).await.ok();
    assert_blocked(&confab.send("a:b", "a", "hi").await);
    confab.send("a:b", "b", "hi").await.ok();
    // A mute keeps nobody from sending.
    confab.send("a:a", "a", "note").await.ok();
    confab
        .set(json!({ "name": "a", "chat": "a:a", "muted": true }))
        .await
        .ok();
    confab.send("a:a", "a", "note").await.ok();
}

#[tokio::test]
async fn only_one_s_own_followers_hear_of_it() {
    let confab = Confab::anywhere().start();
    confab.send("a:b", "b", "hi").await.ok();
    let mut follower = Follower::of_inbox(&confab, &format!("name={}", confab.name("a")), None);
    let mut others = Follower::of_inbox(&confab, &format!("name={}", confab.name("b")), None);
    assert_eq!(
        (follower.next().await.name, others.next().await.name),
        ("inbox".into(), "inbox".into())
    );
    for (field, value) in [("blocked", true), ("muted", true), ("blocked", false), ("muted", false)] {
        confab
            .set(json!({ "name": "a", "chat": "a:b", field: value }))
            .await
            .ok();
        let event = follower.next().await;
        assert_eq!(
            (event.name.as_str(), event.data.get(field).is_some()),
            ("chat", value),
            "{field} {event:?}"
        );
    }
    confab.send("a:b", "a", "ho").await.ok();
    // The next that the other hears of is the message.
    assert_eq!(others.next().await.data["last"]["text"], "ho");
}

#[tokio::test]
async fn a_service_is_blocked_in_the_other_s_name_and_sets_for_anybody() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("auth", "required");
    let confab = confab
        .variable("auth_secret", SECRET)
        .variable("send_limit", 2)
        .variable("send_window_s", 3600)
        .start();
    let mut backend = claims("backend", 60);
    backend["scope"] = json!("confab:service");
    let backend = hs256(SECRET, &backend);
    let post = async |token: &str, path: &str, body: Value| {
        TestResponse::to(
            confab
                .build(Method::POST, path)
                .bearer_auth(token)
                .body(body.to_string()),
        )
        .await
    };
    confab.send_as(&token("b"), "a:b", "hi", None).await.ok();
    post(&token("a"), "/api/chat", json!({ "chat": "a:b", "blocked": true }))
        .await
        .ok();
    // Refused messages do not count in the quota.
    for _ in 0..3 {
        assert_blocked(&confab.send_as(&token("b"), "a:b", "hi", Some("k")).await);
        let as_other = json!({ "chat": "a:b", "text": "hi", "sender": "b" });
        assert_blocked(&post(&backend, "/api/send", as_other).await);
    }
    post(
        &backend,
        "/api/send",
        json!({ "chat": "a:b", "text": "hi", "sender": "a" }),
    )
    .await
    .ok();
    post(
        &backend,
        "/api/chat",
        json!({ "chat": "a:b", "name": "A", "blocked": false }),
    )
    .await
    .ok();
    let sent = confab.send_as(&token("b"), "a:b", "hi", Some("k")).await;
    assert_eq!((sent.status, sent.header("ratelimit").contains("r=0")), (200, true));
}

/// While `b` sends from many connections, `a` blocks: what is acknowledged is stored, what is refused is not, and nothing that begins
/// after the block's answer is acknowledged.
pub(crate) async fn a_block_divides_what_is_sent(confab: &Confab) {
    confab.send("a:b", "b", "first").await.ok();
    for round in 0..5 {
        confab.set(block("a", false)).await.ok();
        let sender = async |number: usize| {
            let mut acknowledged = Vec::new();
            for text in numbers(0..1000) {
                let text = format!("{round} {number} {text}");
                let answer = confab.send("a:b", "b", &text).await;
                if answer.status == 200 {
                    acknowledged.push(text);
                } else {
                    assert_blocked(&answer);
                    return acknowledged;
                }
            }
            panic!("nobody is blocked");
        };
        let blocking = async {
            while !confab.inbox_chat("a", "a:b").await["last"]["text"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{round} "))
            {
                tokio::task::yield_now().await;
            }
            confab.set(block("a", true)).await.ok();
            assert_blocked(&confab.send("a:b", "b", "after").await);
        };
        let (sent, ()) = tokio::join!(join_all((0..20).map(sender)), blocking);
        let mut sent = sent.concat();
        let prefix = format!("{round} ");
        let mut stored: Vec<_> = confab.walk(json!({ "chat": "a:b", "limit": 1000 })).await;
        stored.retain(|message| message["text"].as_str().unwrap().starts_with(&prefix));
        let mut stored: Vec<_> = stored
            .iter()
            .map(|message| message["text"].as_str().unwrap().to_owned())
            .collect();
        sent.sort();
        stored.sort();
        assert_eq!(sent, stored);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_divides_what_is_sent_at_once() {
    a_block_divides_what_is_sent(&Confab::anywhere().start()).await;
}
