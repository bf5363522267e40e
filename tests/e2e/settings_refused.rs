//! Settings that cannot be, or that Redis refuses: nothing is stored.

use crate::all_or_nothing::{builder_as, commands, rules, stored};
use crate::blocks::{assert_blocked, block};
use confab_kit::{Confab, Follower, Redis, log_key};
use reqwest::Method;
use serde_json::{Value, json};

const SETTINGS: &str = "confab:{a:b}:settings";

#[tokio::test]
async fn settings_that_cannot_be_are_refused_and_store_nothing() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["hi"]).await;
    confab.send_all("a:a", "a", ["note"]).await;
    for (body, status, field) in [
        (json!({ "name": "a", "chat": "a:b" }), 400, "blocked"),
        (json!({ "name": "a", "chat": "a:b", "blocked": null }), 400, "blocked"),
        (json!({ "name": "a", "chat": "a:b", "blocked": "true" }), 400, "blocked"),
        (json!({ "name": "a", "chat": "a:b", "muted": 1 }), 400, "muted"),
        (json!({ "name": "a", "chat": "a:b", "open": "yes" }), 400, "open"),
        (json!({ "name": "a", "chat": "a:a", "blocked": true }), 400, "blocked"),
        (json!({ "name": "c", "chat": "a:b", "blocked": true }), 400, "name"),
        (json!({ "name": "", "chat": "a:b", "blocked": true }), 400, "name"),
        (json!({ "chat": "a:b", "blocked": true }), 400, "name"),
        (json!({ "name": "a", "blocked": true }), 400, "chat"),
        (json!({ "name": "a", "chat": "a", "blocked": true }), 400, "chat"),
        (json!({ "name": "a", "chat": "a:c", "blocked": true }), 409, "chat"),
    ] {
        assert_eq!(
            confab.set(body.clone()).await.problem(),
            (status, json!(field)),
            "{body}"
        );
    }
    for body in ["", "[]", "{", "null"] {
        assert_eq!(
            confab.request(Method::POST, "/api/chat", body).await.status,
            400,
            "{body}"
        );
    }
    assert_eq!(redis.keys("*:settings").await, [""; 0]);
    // What is there may be changed after the messages are gone: somebody may write again.
    confab.set(block("a", true)).await.ok();
    redis.delete(&log_key("a:b")).await;
    confab.set(block("a", false)).await.ok();
    assert_eq!(redis.command::<i64>(["TTL", SETTINGS]).await, -1);
}

#[tokio::test]
async fn a_user_that_lacks_a_command_sets_all_or_nothing() {
    let redis = Redis::start();
    let mut needed = Vec::new();
    for missing in commands() {
        redis.empty().await;
        let open = Confab::start(&redis);
        open.send("a:b", "b", "hi").await.ok();
        open.set(block("b", false)).await.ok();
        let mut follower = Follower::of_inbox(&open, "name=a", None);
        follower.next().await;
        let mut allowed = commands();
        allowed.retain(|command| *command != missing);
        let confab = builder_as(&redis, &rules(&allowed)).await.start();
        // The follower itself keeps its feed alive.
        drop(follower);
        let settings = async || {
            let all = stored(&redis).await;
            all.into_iter()
                .filter(|(key, _)| !key.ends_with(":feed"))
                .collect::<Vec<_>>()
        };
        let before = settings().await;
        let answer = confab.set(block("a", true)).await;
        if answer.status == 200 {
            assert_blocked(&open.send("a:b", "b", "hi").await);
        } else {
            assert!(matches!(answer.status, 500 | 503), "{missing}: {}", answer.status);
            assert_eq!(settings().await, before, "without {missing}");
            open.send("a:b", "b", "hi").await.ok();
            needed.push(missing);
        }
    }
    for command in ["evalsha", "exists", "hmget", "hset"] {
        assert!(
            needed.iter().any(|needed| needed == command),
            "{needed:?} has no {command}"
        );
    }
}

#[tokio::test]
async fn settings_of_the_wrong_type_store_nothing() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send("a:b", "b", "hi").await.ok();
    redis.command::<()>(["SET", SETTINGS, "x"]).await;
    let before = stored(&redis).await;
    assert_eq!(
        confab.send_keyed("a:b", "b", "hi", "k").await.problem(),
        (500, Value::Null)
    );
    assert_eq!(confab.set(block("a", true)).await.problem(), (500, Value::Null));
    assert_eq!(stored(&redis).await, before);
    // Such a chat hides no other.
    confab.send("a:c", "c", "hi").await.ok();
    assert_eq!(confab.inbox("a").await.len(), 1);
}
