//! A position names content: after a failover, trimming or removal it leads to no other messages, and loses no more than was lost.

use confab_kit::{Confab, Follower, Redis, log_key, numbers, texts};
use serde_json::{Value, json};

async fn position(confab: &Confab, limit: u64) -> String {
    let page = confab.pull(json!({ "chat": "a:b", "limit": limit })).await.ok();
    page["position"].as_str().unwrap().to_owned()
}

/// Redis loses what was sent after its last snapshot, as a failover to a replica that lags does.
fn lose(redis: &mut Redis) {
    redis.kill();
    redis.restart();
}

fn start(redis: &Redis) -> Confab {
    let confab = Confab::on(redis).variable("redis_timeout_ms", 15_000);
    confab.variable("stream_heartbeat_s", 1).start()
}

#[tokio::test]
async fn lost_messages_are_replaced_by_the_new_ones_and_no_more_is_replayed() {
    let mut redis = Redis::start();
    let confab = start(&redis);
    confab.send_all("a:b", "a", numbers(0..5)).await;
    redis.command::<()>(["SAVE"]).await;
    confab
        .send_all("a:b", "a", ["lost 5", "lost 6", "lost 7", "lost 8"])
        .await;
    let (kept, lost) = (position(&confab, 3).await, position(&confab, 9).await);
    let mut connected = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(connected.indexes(9).await, (0..9).collect::<Vec<_>>());
    lose(&mut redis);
    for sent in 0..=4 {
        let epoch = confab.epoch("a:b").await;
        let gone = confab.pull(json!({ "chat": "a:b", "after": lost })).await;
        assert_eq!(gone.problem(), (410, json!("epoch")), "{sent} new messages");
        let problem = gone.json();
        assert_eq!((&problem["epoch"], &problem["index"]), (&json!(epoch), &json!(5)));
        let page = confab.pull(json!({ "chat": "a:b", "after": kept })).await.ok();
        assert_eq!(page["messages"][0]["index"], 3);

        let mut again = Follower::start(&confab, "chat=a:b", Some(&lost));
        let reset = again.next().await;
        assert_eq!(
            (&*reset.name, &reset.data),
            ("reset", &json!({ "epoch": epoch, "index": 5 }))
        );
        // A client that breaks off before the reset still has its own position; after it, the one that is confirmed.
        assert_eq!((again.position(), reset.id), (lost.clone(), position(&confab, 5).await));
        for number in 0..sent {
            assert_eq!(again.next().await.data["text"], format!("new {number}"));
        }
        confab.send_all("a:b", "b", [format!("new {sent}")]).await;
    }
    let reset = connected.next().await;
    assert_eq!((&*reset.name, &reset.data["index"]), ("reset", &json!(5)));
    assert_eq!(connected.next().await.data["text"], "new 0");
}

#[tokio::test]
async fn a_position_outlives_trimming_and_removal_by_hand() {
    let redis = Redis::start();
    let confab = start(&redis);
    confab.send_all("a:b", "a", numbers(0..8)).await;
    let epoch = confab.epoch("a:b").await;
    let positions = [
        position(&confab, 2).await,
        position(&confab, 4).await,
        position(&confab, 8).await,
    ];
    let key = log_key("a:b");
    // The client's own message, one in the middle, and the newest.
    for index in [3, 5, 7] {
        redis.command::<()>(["XDEL", &key, &format!("{epoch}-{index}")]).await;
    }
    for (after, left) in positions.iter().zip([&["2", "4", "6"][..], &["4", "6"], &[]]) {
        let page = confab.pull(json!({ "chat": "a:b", "after": after })).await.ok();
        assert_eq!(texts(&page), left, "{after}");
    }
    let mut follower = Follower::start(&confab, "chat=a:b", Some(&positions[1]));
    assert_eq!(follower.next().await.index(), 4);
    let gap = follower.next().await;
    assert_eq!(
        (&*gap.name, &gap.data),
        ("gap", &json!({ "from": 5, "first_index": 6 }))
    );
    assert_eq!(follower.next().await.index(), 6);

    redis
        .command::<()>(["XTRIM", &key, "MINID", &format!("{epoch}-6")])
        .await;
    let page = confab.pull(json!({ "chat": "a:b", "after": positions[0] })).await.ok();
    assert_eq!((texts(&page), &page["first_index"]), (vec!["6".to_owned()], &json!(6)));
    let mut follower = Follower::start(&confab, "chat=a:b", Some(&positions[0]));
    let gap = follower.next().await;
    assert_eq!(
        (&*gap.name, &gap.data),
        ("gap", &json!({ "from": 2, "first_index": 6 }))
    );
    // The newest was removed: nothing was lost, and the next message has the next index.
    let mut follower = Follower::start(&confab, "chat=a:b", Some(&positions[2])).opened().await;
    confab.send_all("a:b", "a", ["8"]).await;
    assert_eq!(follower.next().await.index(), 8);

    redis.command::<()>(["XTRIM", &key, "MAXLEN", "0"]).await;
    let page = confab.pull(json!({ "chat": "a:b", "after": positions[2] })).await.ok();
    assert_eq!(
        (&page["messages"], &page["position"]),
        (&json!([]), &json!(positions[2]))
    );
}

#[tokio::test]
async fn a_forged_or_foreign_position_leads_to_a_reset() {
    let confab = Confab::anywhere().prefer("stream_heartbeat_s", 1).start();
    confab.send_all("a:b", "a", numbers(0..4)).await;
    let epoch = confab.epoch("a:b").await;
    let time = |position: &str| position.rsplit_once('-').unwrap().1.to_owned();
    let [second, last] = [time(&position(&confab, 2).await), time(&position(&confab, 4).await)];
    for (after, index) in [
        (format!("{epoch}-9-{last}"), 4),
        (format!("{epoch}-3-{second}"), 2),
        (format!("{epoch}-1-{last}"), 0),
        (format!("{epoch}-3-0"), 0),
        (format!("1-3-{last}"), 0),
    ] {
        let gone = confab.pull(json!({ "chat": "a:b", "after": after })).await;
        assert_eq!((gone.status, &gone.json()["index"]), (410, &json!(index)), "{after}");
        let mut follower = Follower::start(&confab, "chat=a:b", Some(&after));
        let reset = follower.next().await;
        assert_eq!(
            (&*reset.name, &reset.data["index"]),
            ("reset", &json!(index)),
            "{after}"
        );
        if index < 4 {
            assert_eq!(follower.next().await.index(), index, "{after}");
        }
    }
}

#[tokio::test]
async fn an_unreadable_position_is_a_reset_on_a_stream_and_a_400_on_a_pull() {
    let confab = Confab::anywhere().prefer("stream_heartbeat_s", 1).start();
    confab.send_all("a:b", "a", ["0"]).await;
    for wrong in [
        "7",
        "x-7",
        "1-9007199254740991-1",
        "1-18446744073709551614-1",
        "1-1-9007199254740992",
        "0-0-0",
    ] {
        let mut follower = Follower::start(&confab, "chat=a:b", Some(wrong));
        let reset = follower.next().await;
        assert_eq!(
            (&*reset.name, &reset.data["index"], &*reset.id),
            ("reset", &json!(0), "0"),
            "{wrong}"
        );
        // It cannot be read either, so that a client that breaks off before the reset receives it again.
        assert_eq!(follower.position(), "0-0-0");
        assert_eq!(follower.next().await.index(), 0);
        let refused = confab.pull(json!({ "chat": "a:b", "after": wrong })).await;
        assert_eq!(refused.problem(), (400, json!("after")), "{wrong}");
    }
    let reversed = confab
        .pull(json!({ "chat": "a:b", "after": "0", "reverse": true }))
        .await;
    assert_eq!(reversed.problem(), (400, json!("after")));
    assert_eq!(
        confab.pull(json!({ "chat": "a:b", "after": Value::Null })).await.status,
        200
    );
}

#[tokio::test]
async fn a_follower_that_received_nothing_misses_nothing_between_its_streams() {
    let confab = Confab::anywhere().variable("stream_lifetime_s", 1).start();
    for chat in ["empty:x", "used:x"] {
        if chat == "used:x" {
            confab.send_all(chat, "x", ["before"]).await;
        }
        let mut follower = Follower::start(&confab, &format!("chat={chat}"), None).opened().await;
        let position = follower.position();
        assert_eq!(follower.next_in_this_stream().await, None);
        drop(follower);
        confab.send_all(chat, "x", ["between"]).await;
        let mut again = Follower::start(&confab, &format!("chat={chat}"), Some(&position));
        assert_eq!(again.next().await.data["text"], "between", "{chat}");
    }
}
