//! A chat log that was replaced, has lost messages or was trimmed: its followers receive a reset or a gap, never other messages.

use confab_kit::{Confab, Follower, Redis, log_key, numbers};
use serde_json::json;

/// confab with a heartbeat of one second.
fn start(redis: &Redis) -> Confab {
    Confab::on(redis).variable("stream_heartbeat_s", 1).start()
}

#[tokio::test]
async fn if_the_log_is_replaced_a_follower_receives_a_reset_and_then_the_new_log() {
    let redis = Redis::start();
    let confab = start(&redis);
    confab.send_all("a:b", "a", ["old 0", "old 1"]).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(2).await, [0, 1]);
    let old = confab.epoch("a:b").await;
    let last = confab.pull(json!({ "chat": "a:b" })).await.ok()["position"].clone();
    let last = last.as_str().unwrap();

    redis.delete(&log_key("a:b")).await;
    confab.send_all("a:b", "a", ["new 0"]).await;
    let epoch = confab.epoch("a:b").await;
    let mut again = Follower::start(&confab, "chat=a:b", Some(last));
    let mut by_cursor = Follower::start(&confab, &format!("chat=a:b&cursor=2&epoch={old}"), None);
    for follower in [&mut follower, &mut again, &mut by_cursor] {
        let reset = follower.next().await;
        assert_eq!(
            (&*reset.name, &reset.data),
            ("reset", &json!({ "epoch": epoch, "index": 0 }))
        );
        // The position before what follows.
        assert_eq!(reset.id, "0");
        let first = follower.next().await;
        assert_eq!((first.index(), &first.data["text"]), (0, &json!("new 0")));
        assert_eq!(first.id, format!("{epoch}-0-{}", first.data["send_time"]));
    }
    // A client that breaks off before the reset still has its own position.
    assert_eq!(again.position(), last);
    redis.delete(&log_key("a:b")).await;
    let reset = follower.next().await;
    assert_eq!(
        (&*reset.name, &reset.data),
        ("reset", &json!({ "epoch": 0, "index": 0 }))
    );
    confab.send_all("a:b", "a", ["newest 0"]).await;
    assert_eq!(follower.next().await.data["text"], "newest 0");
}

#[tokio::test]
async fn a_follower_receives_a_reset_even_if_the_clock_was_set_back() {
    let (redis, clock) = Redis::with_clock();
    let confab = start(&redis);
    confab.send_all("a:b", "a", ["old"]).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.next().await.index(), 0);
    clock.set(-3600);
    redis.delete(&log_key("a:b")).await;
    // The new log has lower ids than the follower waits for.
    confab.send_all("a:b", "a", ["new"]).await;
    assert_eq!(follower.next().await.name, "reset");
    assert_eq!(follower.next().await.data["text"], "new");
}

#[tokio::test]
async fn if_messages_were_trimmed_a_follower_receives_a_gap() {
    let confab = Confab::anywhere().variable("max_messages_per_chat", 5).start();
    confab.send_all("a:b", "a", numbers(0..20)).await;
    // Nothing is left at or below index 6, so its time is not known.
    let before = 0;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=7", None);
    let gap = follower.next().await;
    let epoch = confab.epoch("a:b").await;
    assert_eq!(
        (gap.name.as_str(), gap.id, gap.data),
        (
            "gap",
            format!("{epoch}-14-{before}"),
            json!({ "from": 7, "first_index": 15 })
        )
    );
    assert_eq!(follower.indexes(5).await, [15, 16, 17, 18, 19]);
    // A follower that keeps up receives no gaps.
    for index in 20..40 {
        confab.send_all("a:b", "a", ["more"]).await;
        assert_eq!(follower.next().await.index(), index);
    }
}
