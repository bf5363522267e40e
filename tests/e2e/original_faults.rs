//! The faults of the Go system that confab replaces. Each test has the number of its fault, and shows that confab is without it.
//!
//! Faults 14 to 17 were in the original's deployment and tests. In confab, `outage` starts Redis late (14), the component keeps
//! no state, so any number of hosts can serve one Redis (15), `make run` keeps its data (16), and these tests check what they
//! read (17).

use confab_kit::{Confab, Redis, log_key, numbers, texts};
use serde_json::json;

#[tokio::test]
async fn fault_1_the_send_time_was_never_set() {
    let confab = Confab::anywhere().start();
    let sent = confab.send("a:b", "a", "hi").await.ok();
    let page = confab.pull(json!({ "chat": "a:b" })).await.ok();
    assert!(sent["send_time"].as_u64().unwrap() > 0);
    assert_eq!(page["messages"][0]["send_time"], sent["send_time"]);
}

#[tokio::test]
async fn fault_2_a_repeated_text_was_lost() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", ["hi", "hi"]).await;
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi", "hi"]);
}

#[tokio::test]
async fn fault_3_the_order_was_by_sender_and_text() {
    let confab = Confab::anywhere().start();
    for (sender, text) in [("b", "2"), ("a", "z"), ("B", "1"), ("a", "a")] {
        confab.send("a:b", sender, text).await.ok();
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["2", "z", "1", "a"]);
    assert_eq!(
        confab.texts(json!({ "chat": "a:b", "reverse": true })).await,
        ["a", "1", "z", "2"]
    );
}

#[tokio::test]
async fn fault_4_new_messages_shifted_the_pages() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", ["m", "n", "o"]).await;
    let first = confab.pull(json!({ "chat": "a:b", "limit": 2 })).await.ok();
    confab.send_all("a:b", "A", ["0", "a"]).await;
    let next = confab
        .pull(json!({ "chat": "a:b", "limit": 3, "cursor": first["next_cursor"] }))
        .await
        .ok();
    assert_eq!(
        (texts(&first), texts(&next)),
        (vec!["m".into(), "n".into()], vec!["o".into(), "0".into(), "a".into()])
    );
    // Backwards, `before` holds the walk in place.
    let first = confab
        .pull(json!({ "chat": "a:b", "limit": 2, "reverse": true, "before": 5 }))
        .await
        .ok();
    confab.send_all("a:b", "b", ["later"]).await;
    let cursor = &first["next_cursor"];
    let next = confab
        .pull(json!({ "chat": "a:b", "limit": 3, "reverse": true, "before": 5, "cursor": cursor }))
        .await
        .ok();
    assert_eq!(
        (texts(&first), texts(&next)),
        (vec!["a".into(), "0".into()], vec!["o".into(), "n".into(), "m".into()])
    );
}

#[tokio::test]
async fn fault_5_an_omitted_limit_gave_nothing_and_a_client_that_looped() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", numbers(0..11)).await;
    for request in [json!({ "chat": "a:b" }), json!({ "chat": "a:b", "limit": 0 })] {
        let page = confab.pull(request).await.ok();
        assert_eq!(texts(&page).len(), 10);
        assert_eq!((&page["has_more"], &page["next_cursor"]), (&json!(true), &json!(10)));
    }
}

#[tokio::test]
async fn fault_6_a_negative_limit_read_everything_and_there_was_no_cap() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let mut connection = redis.connect().await;
    // One more than the longest page has, written as the component writes them.
    let mut log = redis::pipe();
    for index in 0..1001 {
        let id = format!("1000000-{index}");
        log.cmd("XADD").arg(log_key("a:b")).arg(id).arg(&["1000000", "a:hi"]);
    }
    let () = log.query_async(&mut connection).await.unwrap();
    assert_eq!(
        confab.pull(json!({ "chat": "a:b", "limit": -1 })).await.problem(),
        (400, json!("limit"))
    );
    for limit in [1000, 1001, i32::MAX] {
        let page = confab.pull(json!({ "chat": "a:b", "limit": limit })).await.ok();
        assert_eq!(texts(&page).len(), 1000, "{limit}");
        assert_eq!(
            (&page["has_more"], &page["next_cursor"]),
            (&json!(true), &json!(1000)),
            "{limit}"
        );
    }
}

#[tokio::test]
async fn fault_7_a_negative_cursor_counted_from_the_end_and_a_large_one_overflowed() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", ["1", "2"]).await;
    assert_eq!(
        confab.pull(json!({ "chat": "a:b", "cursor": -1 })).await.problem(),
        (400, json!("cursor"))
    );
    for cursor in [2, 1 << 53, u64::MAX / 2, u64::MAX] {
        for reverse in [false, true] {
            let request = json!({ "chat": "a:b", "cursor": cursor, "reverse": reverse });
            let page = confab.pull(request).await.ok();
            assert_eq!(texts(&page), Vec::<String>::new(), "{cursor} {reverse}");
            assert_eq!(page.get("next_cursor"), None, "{cursor} {reverse}");
        }
    }
}

#[tokio::test]
async fn fault_8_the_cursor_was_not_the_index_of_the_contract() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", ["0", "1", "2"]).await;
    let page = confab.pull(json!({ "chat": "a:b", "cursor": 1 })).await.ok();
    assert_eq!(
        page["messages"][0]["index"], 1,
        "a cursor is the index of the first message"
    );
}

#[tokio::test]
async fn fault_9_every_mistake_of_a_client_was_a_500_that_showed_internals() {
    let confab = Confab::anywhere().start();
    let answer = confab.send("invalid", "a", "hi").await;
    assert_eq!(answer.problem(), (400, json!("chat")));
    let body = String::from_utf8(answer.body).unwrap().to_lowercase();
    for inside in ["redis", "rpc", "biz error", "network", "serde", "spin"] {
        assert!(!body.contains(inside), "{body}");
    }
}

#[tokio::test]
async fn fault_10_another_content_type_or_a_query_was_silently_ignored() {
    let confab = Confab::anywhere().start();
    // reqwest sends a text body without any Content-Type.
    confab.send_all("a:b", "a", ["hi"]).await;
    assert_eq!(texts(&confab.get("/api/pull?chat=a:b").await.ok()), ["hi"]);
}

#[tokio::test]
async fn fault_11_a_sender_in_another_letter_case_was_refused() {
    let confab = Confab::anywhere().start();
    confab.send("Alice:bob", "alice", "hi").await.ok();
    confab.send("alice:bob", "ALICE", "hi").await.ok();
    let page = confab.pull(json!({ "chat": "alice:bob" })).await.ok();
    assert_eq!(
        [&page["messages"][0]["sender"], &page["messages"][1]["sender"]],
        [&confab.name("alice"), &confab.name("ALICE")]
    );
}

#[tokio::test]
async fn fault_12_empty_names_and_texts_were_accepted() {
    let confab = Confab::anywhere().start();
    assert_eq!(confab.send(":", "", "hi").await.problem(), (400, json!("chat")));
    assert_eq!(confab.send("a:b", "a", "").await.problem(), (400, json!("text")));
}

#[tokio::test]
async fn fault_13_a_chat_collided_with_other_keys_of_its_name() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    redis.command::<()>(["SET", "a:b", "another program's"]).await;
    confab.send("a:b", "a", "hi").await.ok();
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi"]);
}
