//! Redis's clock is set forward and back: send times still only grow.

use confab_kit::{Confab, Redis, log_key};
use serde_json::json;

#[tokio::test]
async fn send_times_grow_if_the_clock_of_redis_is_set_back() {
    // A real redis-server whose `gettimeofday` is wrong by an offset that the test sets.
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::start(&redis);
    let mut last = 0;
    for (index, seconds) in [0, -3600, -3600, 7200, 3600, 0, -86_400 * 365].into_iter().enumerate() {
        clock.set(seconds);
        let before = redis.time().await;
        let sent = confab.send("a:b", "a", &index.to_string()).await.ok();
        let time = sent["send_time"].as_u64().unwrap();
        assert!(time > last, "{time} is not after {last}");
        assert_eq!(sent["index"], index);
        // It is Redis's own time if that is later, or else one more than the last.
        assert!(
            time >= before && (time == last + 1 || time < before + 60_000_000),
            "{time}, at {before}"
        );
        last = time;
    }
    let walked = confab.walk(json!({ "chat": "a:b", "limit": 2 })).await;
    assert!(walked.is_sorted_by_key(|message| message["send_time"].as_u64()));
}

#[tokio::test]
async fn a_new_log_has_another_epoch_even_if_the_clock_was_set_back() {
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["0"]).await;
    let old = confab.epoch("a:b").await;
    redis.delete(&log_key("a:b")).await;
    clock.set(-3600);
    confab.send_all("a:b", "a", ["new"]).await;
    let gone = confab.pull(json!({ "chat": "a:b", "cursor": 1, "epoch": old })).await;
    assert_eq!(gone.problem(), (410, json!("epoch")));
}

#[tokio::test]
async fn a_log_that_was_emptied_by_hand_begins_anew_even_if_the_clock_was_set_back() {
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::start(&redis);
    let log = log_key("a:b");
    for (seconds, empty) in [(0, true), (-3600, true), (-3600, false), (-86_400, true)] {
        clock.set(seconds);
        confab.send_all("a:b", "a", ["0", "1"]).await;
        let old = confab.epoch("a:b").await;
        if empty {
            redis.command::<()>(["XTRIM", &log, "MAXLEN", "0"]).await;
        } else {
            for index in 0..2 {
                redis.command::<()>(["XDEL", &log, &format!("{old}-{index}")]).await;
            }
        }
        clock.set(seconds - 60);
        let sent = confab.send_keyed("a:b", "a", "new", &seconds.to_string()).await.ok();
        assert_eq!(sent["index"], 0);
        let new = confab.epoch("a:b").await;
        assert!(new > old, "{new} is not after {old}");
        let gone = confab.pull(json!({ "chat": "a:b", "cursor": 1, "epoch": old })).await;
        assert_eq!(gone.problem(), (410, json!("epoch")));
        redis.delete(&log).await;
    }
}

#[tokio::test]
async fn a_send_time_in_the_future_is_in_the_server_log_once() {
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::start(&redis);
    for seconds in [0, 50, 0] {
        clock.set(seconds);
        confab.send_all("a:b", "a", ["0"]).await;
    }
    assert_eq!(confab.log(), "");
    // The clock is right again, and the chat's times are still ahead.
    for seconds in [3600, 0, 0] {
        clock.set(seconds);
        confab.send_all("a:b", "a", ["0"]).await;
    }
    confab.logged(&redis.logged_key(&log_key("a:b")).await).await;
    let log = confab.log();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(
        log.starts_with("confab: notice=clock-ahead cause=\"") && !log.contains("a:b"),
        "{log}"
    );
}
