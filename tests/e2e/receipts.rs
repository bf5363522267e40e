//! A receipt outlives what it must, and proves no message that was lost.

use confab_kit::{Confab, Fault, Odds, Proxy, Redis, TestResponse, Traffic, log_key, numbers, seed};
use futures::future::join_all;
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// For about a seventh of the messages the first reply is lost, and Redis receives the second try late.
const LOST_THEN_LATE: Odds = &[(Fault::CutAfter, 300), (Fault::Delay(Duration::from_millis(1500)), 700)];

fn replayed(answer: &TestResponse) -> bool {
    answer.header("idempotency-replayed") == "true"
}

/// The chat's one bucket.
async fn bucket(redis: &Redis) -> String {
    let [bucket] = &redis.keys("*:sent:*").await[..] else {
        panic!("there is not one bucket");
    };
    bucket.clone()
}

#[tokio::test]
async fn a_receipt_is_kept_for_the_window_from_any_place_in_its_bucket() {
    // The buckets of a window of 100 s are 128 s long. Both clocks go together, so that Redis removes what has expired.
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::on(&redis).variable("idempotency_window_s", 100).start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let edge = i64::try_from(128 - now % 128).unwrap();
    let set = |seconds: i64| {
        clock.set(seconds);
        confab.set_clock(seconds);
    };
    for (chat, sent) in [0, 3, 30, 60, 90, 120].into_iter().enumerate() {
        let chat = format!("a:{chat}");
        // The bucket is as old as it can be.
        set(edge);
        confab.send_keyed(&chat, "a", "hi", "first").await.ok();
        set(edge + sent);
        let first = confab.send_keyed(&chat, "a", "hi", "k").await;
        assert!(!replayed(&first));
        for later in [0, 5, 20, 60, 90] {
            set(edge + sent + later);
            let again = confab.send_keyed(&chat, "a", "hi", "k").await;
            assert!(replayed(&again), "sent at {sent}, again after {later} s");
            assert_eq!(again.body, first.body);
        }
    }
}

#[tokio::test]
async fn a_receipt_is_found_if_the_clock_of_the_host_is_set_back_or_another_host_has_it() {
    let redis = Redis::start();
    let [confab, other] = [0; 2].map(|_| Confab::on(&redis).variable("idempotency_window_s", 100).start());
    for offset in [0, -125, 125, 40, -40] {
        let key = offset.to_string();
        confab.set_clock(0);
        confab.send_keyed("a:b", "a", "hi", &key).await.ok();
        for confab in [&confab, &other] {
            confab.set_clock(offset);
            assert!(replayed(&confab.send_keyed("a:b", "a", "hi", &key).await), "{offset} s");
        }
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await.len(), 5);
}

#[tokio::test]
async fn receipts_survive_a_restart() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let confab = Confab::start(&redis);
    let first = confab.send_keyed("a:b", "a", "hi", "k").await;
    redis.kill();
    redis.restart();
    for confab in [&confab, &Confab::start(&redis)] {
        let again = confab.send_keyed("a:b", "a", "hi", "k").await;
        assert!(replayed(&again));
        assert_eq!(again.body, first.body);
    }
    let left: u64 = redis.command(["TTL", &bucket(&redis).await]).await;
    assert!(left >= 86_000, "{left} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_window_is_shorter_than_the_tries_of_a_request() {
    let redis = Redis::start();

    let seed = seed();
    let sends = numbers(0..60).into_iter().map(async |text| {
        let proxy = Proxy::start(&redis, Traffic::Forward);
        let confab = Confab::on(&proxy).variable("redis_timeout_ms", 5000);
        let confab = confab.variable("idempotency_window_s", 1).start();
        // Its connection is open, and Redis knows the script.
        confab.send("a:b", "a", &format!("{text}, first")).await.ok();
        let seed = seed.wrapping_add(text.parse().unwrap());
        proxy.set(Traffic::Random(LOST_THEN_LATE, seed));
        confab.send_keyed("a:b", "a", &text, &text).await.status
    });
    let statuses = join_all(sends).await;
    let direct = Confab::start(&redis);
    let mut texts = direct.texts(json!({ "chat": "a:b", "limit": 1000 })).await;
    let stored = texts.len();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), stored, "a message was stored twice");
    assert!(statuses.contains(&200));

    let shortest = Confab::on(&redis).variable("idempotency_window_s", 1).start();
    shortest.send_keyed("c:d", "c", "hi", "k").await.ok();
    let [bucket] = &redis.keys("confab:{c:d}:sent:*").await[..] else {
        panic!("there is not one bucket");
    };
    let left: u64 = redis.command(["TTL", bucket]).await;
    assert!((55..=65).contains(&left), "{left} s");
}

#[tokio::test]
async fn only_a_replay_of_another_request_says_so() {
    let redis = Redis::start();
    // In two of five cases, Redis runs the command and its reply is lost.
    let proxy = Proxy::start(&redis, Traffic::Random(&[(Fault::CutAfter, 400)], seed()));
    let confab = Confab::on(&proxy).start();
    let mut succeeded = Vec::new();
    for text in numbers(0..60) {
        assert!(
            !replayed(&confab.send("a:b", "a", &text).await),
            "{text}, without a key"
        );
        let answer = confab.send_keyed("a:b", "a", &text, &text).await;
        assert!(!replayed(&answer), "{text}");
        if answer.status == 200 {
            succeeded.push((text, answer));
        }
    }
    assert!(proxy.faults().count(Fault::CutAfter) > 10 && succeeded.len() > 10);
    proxy.set(Traffic::Forward);
    for (text, first) in succeeded {
        let again = confab.send_keyed("a:b", "a", &text, &text).await;
        assert!(replayed(&again), "{text}");
        assert_eq!(again.body, first.body);
    }
}

#[tokio::test]
async fn a_message_that_a_restored_log_has_lost_can_be_sent_again() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let log = log_key("a:b");
    confab.send_all("a:b", "a", numbers(0..3)).await;
    let old: Vec<u8> = redis.command(["DUMP", &log]).await;
    for taken in [false, true] {
        for key in ["3", "4"] {
            confab.send_keyed("a:b", "a", key, key).await.ok();
        }
        let restore = [&b"RESTORE"[..], log.as_bytes(), b"0", &old, b"REPLACE"];
        redis.command::<()>(restore).await;
        if taken {
            // Others take the indexes of the lost messages.
            confab.send_all("a:b", "b", ["new 3", "new 4", "new 5"]).await;
        }
        for key in ["4", "3"] {
            let again = confab.send_keyed("a:b", "a", key, key).await;
            assert!(!replayed(&again), "{key}, taken: {taken}");
            let again = confab.send_keyed("a:b", "a", key, key).await;
            assert!(replayed(&again), "{key}, taken: {taken}");
        }
    }
    let stored = confab.texts(json!({ "chat": "a:b", "cursor": 3 })).await;
    assert_eq!(stored, ["new 3", "new 4", "new 5", "4", "3"]);
}

#[tokio::test]
async fn a_message_that_was_trimmed_or_removed_by_hand_does_not_come_back_with_a_retry() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let log = log_key("a:b");
    let mut sent = Vec::new();
    for key in numbers(0..5) {
        sent.push(confab.send_keyed("a:b", "a", &key, &key).await);
    }
    let epoch = confab.epoch("a:b").await;
    let all_are_replayed = async |after: &str| {
        for (key, first) in numbers(0..5).iter().zip(&sent) {
            let again = confab.send_keyed("a:b", "a", key, key).await;
            assert!(replayed(&again), "{key} after {after}");
            assert_eq!(again.body, first.body);
        }
    };
    for index in [2, 4, 3] {
        let id = format!("{epoch}-{index}");
        redis.command::<()>(["XDEL", &log, &id]).await;
        all_are_replayed(&format!("XDEL {id}")).await;
    }
    for left in ["1", "0"] {
        redis.command::<()>(["XTRIM", &log, "MAXLEN", left]).await;
        all_are_replayed(&format!("XTRIM {left}")).await;
    }
    let left: u64 = redis.command(["XLEN", &log]).await;
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_receipt_has_the_index_that_redis_gave() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..3)).await;
    let newest = format!("{}-2", confab.epoch("a:b").await);
    redis.command::<()>(["XDEL", &log_key("a:b"), &newest]).await;
    let first = confab.send_keyed("a:b", "a", "hi", "k").await;
    assert_eq!(first.json()["index"], 3);
    let again = confab.send_keyed("a:b", "a", "hi", "k").await;
    assert!(replayed(&again));
    assert_eq!(again.body, first.body);
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["0", "1", "hi"]);
}
