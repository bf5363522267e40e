//! A cursor never leads to other messages than those it was made for, whatever happens to the chat log.

use confab_kit::{Confab, Redis, log_key, numbers, texts};
use serde_json::{Value, json};

#[tokio::test]
async fn the_epoch_stays_the_same_as_long_as_the_log_exists() {
    let confab = Confab::anywhere().start();
    let first = confab.send("a:b", "a", "0").await.ok();
    confab.send_all("a:b", "b", numbers(1..12)).await;
    for request in [
        json!({ "chat": "a:b" }),
        json!({ "chat": "B:A", "cursor": 5 }),
        json!({ "chat": "a:b", "cursor": 100 }),
        json!({ "chat": "a:b", "reverse": true, "before": 3 }),
    ] {
        let page = confab.pull(request.clone()).await.ok();
        assert_eq!(page["epoch"], first["send_time"], "{request}");
        assert_eq!(page.get("first_index"), None, "{request}");
        if request["cursor"] == 100 {
            // Without an epoch, it is read as before; with one, it is past the end of that log.
            let mut with_epoch = request;
            with_epoch["epoch"] = page["epoch"].clone();
            let gone = confab.pull(with_epoch).await;
            assert_eq!(gone.problem(), (410, json!("epoch")));
            assert_eq!(
                (&gone.json()["epoch"], &gone.json()["index"]),
                (&page["epoch"], &json!(12))
            );
            continue;
        }
        let mut with_epoch = request;
        with_epoch["epoch"] = page["epoch"].clone();
        assert_eq!(confab.pull(with_epoch).await.ok(), page);
    }
    let epoch = &first["send_time"];
    let by_query = confab.get(&format!("/api/pull?chat=a:b&epoch={epoch}")).await.ok();
    assert_eq!(texts(&by_query).len(), 10);
}

#[tokio::test]
async fn a_cursor_of_a_lost_log_is_410_with_the_epoch_of_the_new_log() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["0", "1"]).await;
    let old = confab.epoch("a:b").await;
    let request = json!({ "chat": "a:b", "cursor": 2, "epoch": old });

    redis.delete(&log_key("a:b")).await;
    let lost = confab.pull(request.clone()).await;
    assert_eq!(lost.problem(), (410, json!("epoch")));
    assert_eq!(lost.json()["epoch"], 0, "the chat has no log");

    confab.send_all("a:b", "a", ["new 0", "new 1", "new 2"]).await;
    for reverse in [false, true] {
        let mut request = request.clone();
        request["reverse"] = json!(reverse);
        let gone = confab.pull(request).await;
        assert_eq!(gone.problem(), (410, json!("epoch")));
        assert_eq!(gone.json()["type"], "/problems/gone");
        let new = gone.json()["epoch"].clone();
        assert!(new.as_u64() > Some(old), "{new} is not after {old}");
        let page = confab.pull(json!({ "chat": "a:b", "epoch": new })).await.ok();
        assert_eq!(texts(&page), ["new 0", "new 1", "new 2"]);
    }
    // Without an epoch, the cursor counts in the log that there is, as before.
    assert_eq!(confab.texts(json!({ "chat": "a:b", "cursor": 2 })).await, ["new 2"]);
}

#[tokio::test]
async fn the_epoch_of_an_empty_chat_is_valid_when_the_chat_begins() {
    let confab = Confab::anywhere().start();
    let empty = confab.pull(json!({ "chat": "a:b" })).await.ok();
    assert_eq!(empty, json!({ "messages": [], "epoch": 0, "position": "0" }));
    confab.send_all("a:b", "a", ["0"]).await;
    let request = json!({ "chat": "a:b", "epoch": empty["epoch"] });
    assert_eq!(confab.texts(request).await, ["0"]);
}

#[tokio::test]
async fn a_capped_chat_keeps_its_newest_messages_and_their_indexes() {
    let confab = Confab::anywhere().variable("max_messages_per_chat", 5).start();
    confab.send_all("a:b", "a", numbers(0..12)).await;
    let kept = ["7", "8", "9", "10", "11"];
    for cursor in [0, 6, 7] {
        let page = confab.pull(json!({ "chat": "a:b", "cursor": cursor })).await.ok();
        assert_eq!(texts(&page), kept, "{cursor}");
        assert_eq!(page["messages"][0]["index"], 7, "{cursor}");
        assert_eq!(page["first_index"], 7, "{cursor}");
    }
    let page = confab.pull(json!({ "chat": "a:b", "cursor": 9 })).await.ok();
    assert_eq!((texts(&page).len(), &page["first_index"]), (3, &json!(7)));

    let walked = confab.walk(json!({ "chat": "a:b", "limit": 2, "reverse": true })).await;
    let indexes: Vec<_> = walked.iter().map(|message| &message["index"]).collect();
    assert_eq!(indexes, [11, 10, 9, 8, 7]);

    let below = confab.pull(json!({ "chat": "a:b", "before": 7 })).await.ok();
    assert_eq!((texts(&below), &below["first_index"]), (vec![], &json!(7)));
    assert_eq!(confab.send("a:b", "a", "12").await.ok()["index"], 12);
}

#[tokio::test]
async fn a_new_cap_takes_effect_with_the_next_send_and_without_a_cap_nothing_is_trimmed() {
    let redis = Redis::start();
    let unlimited = Confab::start(&redis);
    unlimited.send_all("a:b", "a", numbers(0..20)).await;
    let confab = Confab::on(&redis).variable("max_messages_per_chat", 1).start();
    assert_eq!(confab.texts(json!({ "chat": "a:b", "limit": 100 })).await.len(), 20);
    confab.send("a:b", "a", "20").await.ok();
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["20"]);
    unlimited.send_all("a:b", "a", ["21", "22"]).await;
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["20", "21", "22"]);
}

#[tokio::test]
async fn a_trimmed_message_is_not_stored_again() {
    let confab = Confab::anywhere().variable("max_messages_per_chat", 1).start();
    let first = confab.send_keyed("a:b", "a", "0", "k").await;
    confab.send_all("a:b", "a", ["1"]).await;
    assert_eq!(confab.send_keyed("a:b", "a", "0", "k").await.body, first.body);
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["1"]);
}

#[tokio::test]
async fn a_log_emptied_by_hand_begins_again_with_a_new_epoch() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["0", "1"]).await;
    let old = confab.epoch("a:b").await;
    redis.command::<()>(["XTRIM", &log_key("a:b"), "MAXLEN", "0"]).await;
    assert_eq!(confab.pull(json!({ "chat": "a:b" })).await.ok()["messages"], json!([]));
    confab.send_all("a:b", "a", ["new"]).await;
    let gone = confab.pull(json!({ "chat": "a:b", "cursor": 1, "epoch": old })).await;
    assert_eq!(gone.problem(), (410, json!("epoch")));
}

#[tokio::test]
async fn a_malformed_variable_is_a_500_and_its_cause_is_only_in_the_server_log() {
    let redis = Redis::start();
    for (name, value) in [
        ("max_messages_per_chat", "-1"),
        ("max_messages_per_chat", "many"),
        ("idempotency_window_s", "0"),
        ("redis_timeout_ms", "20001"),
    ] {
        let confab = Confab::on(&redis).variable(name, value).start();
        assert_eq!(confab.send("a:b", "a", "hi").await.problem(), (500, Value::Null));
        confab.logged(name).await;
    }
}
