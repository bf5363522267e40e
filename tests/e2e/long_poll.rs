//! A pull with `wait`: it returns when a message comes, or when the time is over.

use confab_kit::{Confab, Redis, log_key, numbers, until};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_waiting_pull_returns_when_a_message_comes() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    for (chat, cursor) in [("new:chat", 0), ("old:chat", 2)] {
        confab.send_all(chat, "chat", numbers(0..cursor)).await;
        for request in [
            json!({ "chat": chat, "cursor": cursor, "wait": 20 }),
            // A cursor further on waits for the message at that index.
            json!({ "chat": chat, "cursor": cursor + 2, "wait": 20 }),
        ] {
            let index = request["cursor"].as_u64().unwrap();
            let waiting = confab.pull(request.clone());
            let sending = async {
                until("the pull waits", async || redis.blocked().await == 1).await;
                let sent = confab.pull(json!({ "chat": chat })).await.ok()["messages"]
                    .as_array()
                    .unwrap()
                    .len();
                for _ in sent..=usize::try_from(index).unwrap() {
                    confab.send_all(chat, "chat", ["hi"]).await;
                }
            };
            let (page, ()) = tokio::join!(waiting, sending);
            let page = page.ok();
            assert_eq!(page["messages"].as_array().unwrap().len(), 1, "{page}");
            assert_eq!(page["messages"][0]["index"], index, "{page}");
        }
    }
    until("nobody waits", async || redis.blocked().await == 0).await;
}

#[tokio::test]
async fn a_pull_waits_only_as_long_as_it_asks_and_only_if_a_message_can_come() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", ["hi"]).await;
    let began = Instant::now();
    let page = confab.get("/api/pull?chat=a:b&cursor=1&wait=1").await.ok();
    assert_eq!(page["messages"], json!([]));
    let waited = began.elapsed();
    // A second, and room for a busy machine.
    assert!((1..6).contains(&waited.as_secs()), "{waited:?}");
    for request in [
        json!({ "chat": "a:b", "cursor": 1, "wait": 0 }),
        json!({ "chat": "a:b", "cursor": 0, "wait": 30 }),
        json!({ "chat": "a:b", "cursor": 1, "wait": 30, "before": 1 }),
        json!({ "chat": "a:b", "cursor": 1, "wait": 30, "reverse": true }),
    ] {
        let began = Instant::now();
        confab.pull(request.clone()).await.ok();
        assert!(began.elapsed() < Duration::from_secs(10), "{request}");
    }
    let gone = confab
        .pull(json!({ "chat": "a:b", "cursor": 9, "epoch": 5, "wait": 30 }))
        .await;
    assert_eq!(gone.problem(), (410, json!("epoch")));
    for wait in [json!(31), json!(-1), json!("1"), json!(0.5)] {
        let answer = confab.pull(json!({ "chat": "a:b", "wait": wait })).await;
        assert_eq!(answer.problem(), (400, json!("wait")), "{wait}");
    }
}

#[tokio::test]
async fn a_waiting_pull_is_410_if_the_log_is_replaced() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["old"]).await;
    let epoch = confab.epoch("a:b").await;
    let waiting = confab.pull(json!({ "chat": "a:b", "cursor": 1, "epoch": epoch, "wait": 20 }));
    let sending = async {
        until("the pull waits", async || redis.blocked().await == 1).await;
        redis.delete(&log_key("a:b")).await;
        confab.send_all("a:b", "a", ["new"]).await;
    };
    let (page, ()) = tokio::join!(waiting, sending);
    assert_eq!(page.problem(), (410, json!("epoch")));
}
