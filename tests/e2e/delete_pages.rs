//! Pages, inboxes and retries after deletions: as if the messages had never been.

use crate::delete::{delete_all, indexes, start};
use confab_kit::{Follower, Redis, log_key, numbers};
use serde_json::json;

#[tokio::test]
async fn pages_have_the_messages_that_are_left_and_say_truly_if_there_are_more() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    open.send_all("a:b", "a", numbers(0..30)).await;
    delete_all(&open, &confab, "a:b", &(5..25).collect::<Vec<_>>()).await;
    open.send_all("a:b", "a", ["50"]).await;
    delete_all(&open, &confab, "a:b", &[29, 0]).await;
    let left = [1, 2, 3, 4, 25, 26, 27, 28, 50];
    for limit in 1..11 {
        for reverse in [false, true] {
            let pages = open
                .pages(json!({ "chat": "a:b", "limit": limit, "reverse": reverse }))
                .await;
            let mut all: Vec<_> = pages.iter().flat_map(indexes).collect();
            if reverse {
                all.reverse();
            }
            assert_eq!(all, left, "{limit} {reverse}");
            // `limit` counts messages, and no page is empty.
            let (last, full) = pages.split_last().unwrap();
            assert!(
                full.iter().all(|page| indexes(page).len() == limit),
                "{limit} {reverse}"
            );
            assert!(!indexes(last).is_empty(), "{limit} {reverse}");
        }
        for (before, expected) in [
            (50, &left[..8]),
            (29, &left[..8]),
            (25, &left[..4]),
            (24, &left[..4]),
            (6, &left[..4]),
        ] {
            let pages = open
                .pages(json!({ "chat": "a:b", "limit": limit, "before": before }))
                .await;
            let all: Vec<_> = pages.iter().flat_map(indexes).collect();
            assert_eq!(all, expected, "{limit} {before}");
            assert!(pages.iter().all(|page| !indexes(page).is_empty()), "{limit} {before}");
        }
    }
    // A page that ends before notices has passed them: nothing is left to say.
    let page = open.pull(json!({ "chat": "a:b", "limit": 20 })).await.ok();
    assert_eq!(page.get("has_more"), None);
    let after = open
        .pull(json!({ "chat": "a:b", "after": page["position"] }))
        .await
        .ok();
    assert_eq!((indexes(&after), after.get("deleted")), (Vec::new(), None));
}

#[tokio::test]
async fn an_inbox_has_the_newest_message_left_and_counts_exactly() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    open.send_all("a:c", "c", ["elsewhere"]).await;
    open.send_all("a:b", "b", numbers(0..6)).await;
    open.read(json!({ "chat": "a:b", "name": "a", "index": 1 })).await.ok();
    let mut follower = Follower::of_inbox(&open, "name=a", None);
    follower.next().await;
    for (deleted, unread, last) in [(5, 3, "4"), (0, 3, "4"), (3, 2, "4"), (4, 1, "2"), (2, 0, "1")] {
        delete_all(&open, &confab, "a:b", &[deleted]).await;
        let entry = follower.next().await.data;
        assert_eq!(
            (&entry["unread"], &entry["last"]["text"]),
            (&json!(unread), &json!(last)),
            "{deleted}"
        );
        assert_eq!(entry, open.inbox_chat("a", "a:b").await);
        // The chat keeps its place.
        assert_eq!(open.inbox("a").await[0]["chat"], "a:b");
    }
    assert_eq!(open.read_all("a:b", "a").await["unread"], 0);
    delete_all(&open, &confab, "a:b", &[1]).await;
    let gone = follower.next().await;
    // Its mark was rung before.
    let gone = if gone.name == "chat" {
        follower.next().await
    } else {
        gone
    };
    assert_eq!((gone.name.as_str(), &gone.data["chat"]), ("gone", &json!("a:b")));
    assert_eq!((open.inbox("a").await.len(), open.inbox("b").await.len()), (1, 0));
    open.send_all("a:b", "b", ["new"]).await;
    let entry = open.inbox("a").await.remove(0);
    assert_eq!((&entry["last"]["text"], &entry["unread"]), (&json!("new"), &json!(1)));
}

#[tokio::test]
async fn a_retry_of_what_was_deleted_brings_nothing_back() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    let first = open.send_keyed("a:b", "a", "hi", "k").await;
    delete_all(&open, &confab, "a:b", &[0]).await;
    let again = open.send_keyed("a:b", "a", "hi", "k").await;
    assert_eq!(
        (again.header("idempotency-replayed"), &again.body),
        ("true", &first.body)
    );
    assert_eq!(open.texts(json!({ "chat": "a:b" })).await, [""; 0]);
    // A log that is begun anew has no holes of the one before.
    open.send_all("a:b", "a", ["1", "2"]).await;
    redis.delete(&log_key("a:b")).await;
    open.send_all("a:b", "b", numbers(0..3)).await;
    assert_eq!(open.texts(json!({ "chat": "a:b" })).await, ["0", "1", "2"]);
    assert_eq!(open.inbox_chat("a", "a:b").await["unread"], 3);
    delete_all(&open, &confab, "a:b", &[1]).await;
    assert_eq!(open.inbox_chat("a", "a:b").await["unread"], 2);
}
