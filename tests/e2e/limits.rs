//! How many messages a person may send: `send_limit` in `send_window_s`.

use confab_kit::token::{SECRET, claims, hs256, token};
use confab_kit::{Builder, Confab, Fault, Proxy, Redis, TestResponse, Traffic, log_key, seed};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Where alice's sends are counted.
const RATE: &str = "confab:{alice}:rate";

/// confab with identity on, where a person may send `limit` messages in `window` seconds.
pub(crate) fn limited(redis: &Redis, limit: u64, window: u64) -> Builder {
    let builder = Confab::on(redis).variable("auth", "required");
    let builder = builder.variable("auth_secret", SECRET).variable("send_limit", limit);
    builder.variable("send_window_s", window)
}

/// Sends a message with this token, to alice and bob.
pub(crate) async fn send(confab: &Confab, token: &str, text: &str, key: Option<&str>) -> TestResponse {
    confab.send_as(token, "alice:bob", text, key).await
}

/// What an answer says of the limit: the policy, and what is left.
pub(crate) fn limit(answer: &TestResponse) -> [&str; 2] {
    ["ratelimit-policy", "ratelimit"].map(|name| answer.header(name))
}

/// Checks that an answer refuses a message because there were too many; returns after how many seconds one more may be sent.
#[track_caller]
pub(crate) fn refused(answer: &TestResponse) -> u64 {
    assert_eq!(answer.problem(), (429, Value::Null));
    let problem = answer.json();
    assert_eq!(problem["type"], "/problems/too-many");
    assert_eq!(problem["violated-policies"], json!(["sends"]));
    let seconds = answer.header("retry-after").parse().unwrap();
    assert!(seconds >= 1);
    assert_eq!(limit(answer)[1], format!("\"sends\";r=0;t={seconds}"));
    seconds
}

async fn stored(redis: &Redis) -> usize {
    redis.command(["XLEN", &log_key("alice:bob")]).await
}

#[tokio::test]
async fn of_many_sends_at_once_exactly_the_quota_is_stored() {
    let redis = Redis::start();
    // Longer than the test, so that nothing comes back meanwhile; on two hosts.
    let hosts = [(); 2].map(|()| limited(&redis, 20, 3600).start());
    let alice = token("alice");
    let sends = (0..50).map(|number| {
        let (confab, alice) = (&hosts[number % 2], &alice);
        async move { send(confab, alice, &number.to_string(), None).await }
    });
    let answers = join_all(sends).await;
    let left: HashSet<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| {
            let [policy, now] = limit(answer);
            assert_eq!(policy, "\"sends\";q=20;w=3600");
            now.split(";t=").next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(left, (0..20).map(|left| format!("\"sends\";r={left}")).collect());
    let others: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    for answer in &others {
        // One comes back each three minutes.
        assert!((100..=180).contains(&refused(answer)), "{answer:?}");
        assert_eq!(limit(answer)[0], "\"sends\";q=20;w=3600");
    }
    assert_eq!((others.len(), stored(&redis).await), (30, 20));
    // Nobody else is limited by that.
    let bob = send(&hosts[0], &token("bob"), "hi", None).await;
    assert!(limit(&bob)[1].starts_with("\"sends\";r=19;"), "{bob:?}");
    assert_eq!(hosts[0].log(), "");
}

#[tokio::test]
async fn a_person_has_one_quota_in_all_chats_and_spellings() {
    let redis = Redis::start();
    let confab = limited(&redis, 3, 3600).start();
    let in_chat = |name: &str, chat: &str| {
        let mut claims = claims(name, 60);
        claims["chat"] = json!(chat);
        hs256(SECRET, &claims)
    };
    for (token, chat, status) in [
        (token("O\u{308}lga"), "ölga:bob", 200),
        (token("ÖLGA"), "carol:O\u{308}LGA", 200),
        (in_chat("ölga", "ölga:dave"), "dave:ölga", 200),
        (token("ölga"), "ölga:ölga", 429),
        (token("öLgA"), "erin:ölga", 429),
        (in_chat("ÖLGA", "ölga:bob"), "bob:ölga", 429),
    ] {
        assert_eq!(confab.send_as(&token, chat, "hi", None).await.status, status, "{chat}");
    }
    assert_eq!(redis.keys("*rate").await, ["confab:{%C3%B6lga}:rate"]);
    assert_eq!(redis.keys("*log").await.len(), 3);
}

#[tokio::test]
async fn a_replay_never_counts_and_a_refused_key_is_unused() {
    let redis = Redis::start();
    let confab = limited(&redis, 2, 3600).start();
    let alice = token("alice");
    send(&confab, &alice, "0", Some("k0")).await.ok();
    for _ in 0..5 {
        let replayed = send(&confab, &alice, "0", Some("k0")).await;
        assert!(limit(&replayed)[1].starts_with("\"sends\";r=1;"), "{replayed:?}");
        assert_eq!(replayed.header("idempotency-replayed"), "true");
    }
    // A key that was used for another text is a mistake, whatever is left.
    assert_eq!(send(&confab, &alice, "1", Some("k0")).await.status, 422);
    send(&confab, &alice, "1", Some("k1")).await.ok();
    for _ in 0..2 {
        refused(&send(&confab, &alice, "2", Some("k2")).await);
    }
    let replayed = send(&confab, &alice, "1", Some("k1")).await;
    assert_eq!((replayed.status, limit(&replayed)[1].contains(";r=0;")), (200, true));
    assert_eq!(send(&confab, &alice, "2", Some("k0")).await.status, 422);
    assert_eq!(stored(&redis).await, 2);
    // Once there is room, the key's message is stored, whatever its text is by then.
    redis.delete(RATE).await;
    let sent = send(&confab, &alice, "3", Some("k2")).await;
    assert_eq!(sent.header("idempotency-replayed"), "");
    assert_eq!(sent.ok()["index"], 2);
}

#[tokio::test]
async fn a_message_counts_once_however_often_confab_tries() {
    // In two of five cases, Redis runs the command and its reply is lost.
    let (redis, seed) = (Redis::start(), seed());
    let proxy = Proxy::start(&redis, Traffic::Random(&[(Fault::CutAfter, 400)], seed));
    let confab = Confab::on(&proxy).variable("auth", "required");
    let confab = confab.variable("auth_secret", SECRET).variable("send_limit", 1000);
    let confab = confab.variable("send_window_s", 86_400).start();
    let alice = token("alice");
    let mut acknowledged = 0;
    for number in 0..60 {
        let key = number.to_string();
        let key = (number % 2 == 0).then_some(key.as_str());
        let answer = send(&confab, &alice, "hi", key).await;
        acknowledged += usize::from(answer.status == 200);
    }
    proxy.set(Traffic::Forward);
    let last = send(&confab, &alice, "hi", None).await;
    let stored = stored(&redis).await;
    println!("{}: {stored} messages stored", proxy.faults());
    assert!(
        limit(&last)[1].starts_with(&format!("\"sends\";r={};", 1000 - stored)),
        "{last:?}"
    );
    assert!(proxy.faults().count(Fault::CutAfter) > 10 && acknowledged > 20);
}

#[tokio::test]
async fn a_message_comes_back_after_its_interval_and_all_after_the_window() {
    let (redis, clock) = Redis::with_clock();
    let confab = limited(&redis, 4, 40).start();
    let alice = token("alice");
    let fill = async |expected: u64| {
        let mut sent = 0;
        let answer = loop {
            let answer = send(&confab, &alice, "hi", None).await;
            if answer.status != 200 {
                break answer;
            }
            sent += 1;
            assert!(sent <= expected);
        };
        assert_eq!(sent, expected);
        refused(&answer)
    };
    // Ten seconds each, less what the test took.
    assert!((5..=10).contains(&fill(4).await));
    for (seconds, expected) in [(11, 1), (33, 2), (1000, 4)] {
        clock.set(seconds);
        fill(expected).await;
    }
    // Set back by an hour: what counts until then counts for one window, not longer.
    clock.set(1000 - 3600);
    assert!((5..=10).contains(&fill(0).await));
    clock.set(1000 - 3600 + 11);
    fill(1).await;
    clock.set(1000 - 3600 + 60);
    fill(4).await;
    let expiry: i64 = redis.command(["PTTL", RATE]).await;
    assert!((1..=40_000).contains(&expiry), "{expiry}");
}

#[tokio::test]
async fn a_message_that_redis_refuses_at_last_does_not_count() {
    let redis = Redis::start();
    let confab = limited(&redis, 2, 3600).start();
    let (alice, log) = (token("alice"), log_key("alice:bob"));
    for left in [2, 1] {
        // After the last id that there is, Redis gives none: all else of the send has succeeded by then.
        let last = format!("1-{}", u64::MAX);
        redis.command::<()>(["XADD", &log, &last, "1", "bob:hi"]).await;
        for _ in 0..3 {
            let answer = send(&confab, &alice, "hi", Some("key")).await;
            assert_eq!(answer.problem(), (500, Value::Null));
        }
        for (pattern, count) in [("*:sent:*", 0), ("*:marks", 0), (RATE, 2 - left)] {
            assert_eq!(redis.keys(pattern).await.len(), count, "{pattern}");
        }
        redis.delete(&log).await;
        let sent = send(&confab, &alice, "hi", None).await;
        assert!(
            limit(&sent)[1].starts_with(&format!("\"sends\";r={};", left - 1)),
            "{sent:?}"
        );
        let keys = redis.keys("*").await;
        for key in keys.iter().filter(|key| *key != RATE) {
            redis.delete(key).await;
        }
    }
}
