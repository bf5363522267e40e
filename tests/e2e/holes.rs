//! Messages that an operator removed by hand (`XDEL`) leave holes, and hide or repeat no other message.

use confab_kit::{Confab, Redis, log_key, numbers, texts};
use serde_json::{Value, json};

/// Removes the message of this index, as moderation does.
async fn remove(redis: &Redis, confab: &Confab, index: u64) {
    let id = format!("{}-{index}", confab.epoch("a:b").await);
    let removed: u64 = redis.command(["XDEL", &log_key("a:b"), &id]).await;
    assert_eq!(removed, 1);
}

#[tokio::test]
async fn a_walk_passes_a_hole_and_repeats_nothing() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..6)).await;
    remove(&redis, &confab, 3).await;
    for (reverse, expected) in [(false, numbers([0, 1, 2, 4, 5])), (true, numbers([5, 4, 2, 1, 0]))] {
        for limit in 1..=6 {
            let request = json!({ "chat": "a:b", "limit": limit, "reverse": reverse });
            let pages = confab.pages(request).await;
            let walked: Vec<_> = pages.iter().flat_map(texts).collect();
            assert_eq!(walked, expected, "limit {limit}, reverse {reverse}");
        }
    }
}

#[tokio::test]
async fn every_message_between_many_holes_keeps_its_index() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..250)).await;
    // Alone, in a row, at both ends of what Redis reads at once, and the oldest.
    let holes = [0, 1, 7, 50, 51, 52, 99, 100, 101, 102, 200, 248];
    for index in holes {
        remove(&redis, &confab, index).await;
    }
    let indexes = |messages: &[Value]| -> Vec<u64> {
        messages
            .iter()
            .map(|message| {
                let index = message["index"].as_u64().unwrap();
                assert_eq!(message["text"], index.to_string());
                index
            })
            .collect()
    };
    let mut expected: Vec<_> = (0..250).filter(|index| !holes.contains(index)).collect();
    for limit in [9, 100, 1000] {
        let request = json!({ "chat": "a:b", "limit": limit });
        assert_eq!(indexes(&confab.walk(request.clone()).await), expected, "limit {limit}");
        let (mut walked, mut after) = (Vec::new(), json!("0"));
        loop {
            let page = confab
                .pull(json!({ "chat": "a:b", "limit": limit, "after": after }))
                .await
                .ok();
            walked.extend(indexes(page["messages"].as_array().unwrap()));
            after = page["position"].clone();
            if page["has_more"] != json!(true) {
                break;
            }
        }
        assert_eq!(walked, expected, "after, limit {limit}");
    }
    expected.reverse();
    for limit in [9, 100, 1000] {
        let request = json!({ "chat": "a:b", "limit": limit, "reverse": true });
        assert_eq!(indexes(&confab.walk(request).await), expected, "reverse, limit {limit}");
    }
}

#[tokio::test]
async fn a_chat_goes_on_after_its_newest_message_was_removed() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..3)).await;
    remove(&redis, &confab, 2).await;
    let sent = confab.send_keyed("a:b", "a", "next", "k").await.ok();
    // No index is used twice.
    assert_eq!(sent["index"], 3);
    assert_eq!(confab.send_keyed("a:b", "a", "next", "k").await.ok(), sent);
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["0", "1", "next"]);
}
