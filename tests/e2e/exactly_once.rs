//! A send that is repeated with its idempotency key is stored once.

use confab_kit::{Confab, Redis, TestResponse, log_key, until};
use futures::future::join_all;
use serde_json::{Value, json};

fn replayed(answer: &TestResponse) -> bool {
    match answer.header("idempotency-replayed") {
        "true" => true,
        "" => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_repeated_send_receives_the_first_answer() {
    let confab = Confab::anywhere().start();
    let first = confab.send_keyed("a:b", "a", "hi", "k").await;
    assert!(!replayed(&first));
    confab.send_all("a:b", "b", ["between"]).await;
    // The same chat, member and key, in other spellings.
    for (chat, sender, keys) in [("a:b", "a", "\"k\""), ("B:A", "a", "k"), ("a:b", "A", "k")] {
        let again = confab.send_with_keys(chat, sender, "hi", &[keys]).await;
        assert!(replayed(&again), "{chat} {sender} {keys}");
        assert_eq!(again.body, first.body, "{chat} {sender} {keys}");
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi", "between"]);
}

#[tokio::test]
async fn a_key_belongs_to_one_chat_and_one_sender() {
    let confab = Confab::anywhere().start();
    for (chat, sender, key) in [
        ("a:b", "a", "k"),
        ("a:b", "b", "k"),
        ("a:c", "a", "k"),
        ("a:b", "a", "K"),
        ("a:b", "a", "k:"),
    ] {
        let answer = confab.send_keyed(chat, sender, "hi", key).await;
        assert!(!replayed(&answer), "{chat} {sender} {key}");
        answer.ok();
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await.len(), 4);
}

#[tokio::test]
async fn a_key_with_another_text_is_422_and_stores_nothing() {
    let confab = Confab::anywhere().start();
    let first = confab.send_keyed("a:b", "a", "hi", "k").await;
    for text in ["ho", "hi ", "HI"] {
        let answer = confab.send_keyed("a:b", "a", text, "k").await;
        assert_eq!(answer.problem(), (422, json!("Idempotency-Key")), "{text}");
        assert_eq!(answer.json()["type"], "/problems/key-reused");
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi"]);
    assert_eq!(confab.send_keyed("a:b", "a", "hi", "k").await.body, first.body);
}

#[tokio::test]
async fn a_malformed_key_is_400_and_stores_nothing() {
    let confab = Confab::anywhere().start();
    let (longest, too_long) = ("k".repeat(255), "k".repeat(256));
    for keys in [
        &[""][..],
        &["\"\""],
        &["\"k"],
        &["k\""],
        &["a b"],
        &["\"a b\""],
        &["k\tl"],
        &["\u{e9}"],
        &["k;x=1"],
        &["k,l"],
        &["k", "l"],
        &["k", "k"],
        &[&too_long],
    ] {
        let answer = confab.send_with_keys("a:b", "a", "hi", keys).await;
        assert_eq!(answer.problem(), (400, json!("Idempotency-Key")), "{keys:?}");
    }
    if let Some(redis) = confab.redis() {
        assert_eq!(redis.keys("*").await, Vec::<String>::new());
    }
    confab.send_keyed("a:b", "a", "hi", &longest).await.ok();
    confab.send_with_keys("a:b", "a", "hi", &["{}:/=+!"]).await.ok();
}

#[tokio::test]
async fn a_failed_send_leaves_its_key_unused() {
    let mut redis = Redis::start();
    let confab = Confab::start(&redis);
    let refused = confab.send_keyed("a:b", "a", "", "k").await;
    assert_eq!(refused.problem(), (400, json!("text")));
    redis.kill();
    assert_eq!(
        confab.send_keyed("a:b", "a", "hi", "k").await.problem(),
        (503, Value::Null)
    );
    redis.restart();
    assert!(!replayed(&confab.send_keyed("a:b", "a", "ho", "k").await));
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["ho"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_copies_at_once_are_one_message_with_one_answer() {
    let confab = Confab::anywhere().start();
    let answers = join_all((0..50).map(|_| confab.send_keyed("a:b", "a", "hi", "k"))).await;
    let firsts = answers.iter().filter(|answer| !replayed(answer)).count();
    assert_eq!(firsts, 1, "exactly one is the first");
    for answer in &answers {
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi"]);
}

#[tokio::test]
async fn a_key_is_forgotten_some_time_after_the_window() {
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::on(&redis).variable("idempotency_window_s", 3600).start();
    confab.send_keyed("a:b", "a", "hi", "k").await.ok();
    assert!(replayed(&confab.send_keyed("a:b", "a", "hi", "k").await));
    // A sixteenth of its bucket's 4096 s after the window.
    clock.set(3600 + 257);
    until("the receipt has expired", async || {
        redis.keys("*:sent:*").await.is_empty()
    })
    .await;
    assert!(!replayed(&confab.send_keyed("a:b", "a", "ho", "k").await));
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi", "ho"]);
}

#[tokio::test]
async fn the_window_is_a_day_unless_it_is_set() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_keyed("a:b", "a", "hi", "k").await.ok();
    let [bucket] = &redis.keys("confab:{a:b}:sent:131072:*").await[..] else {
        panic!("there is not one bucket");
    };
    let left: u64 = redis.command(["TTL", bucket]).await;
    assert!((86_400..=86_400 + 8192).contains(&left), "{left} s");
}

#[tokio::test]
async fn a_message_that_was_lost_with_its_log_can_be_sent_again() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_keyed("a:b", "a", "hi", "k").await.ok();
    for has_new_log in [false, true] {
        redis.delete(&log_key("a:b")).await;
        if has_new_log {
            confab.send_all("a:b", "b", ["new"]).await;
        }
        assert!(!replayed(&confab.send_keyed("a:b", "a", "hi", "k").await));
        assert!(replayed(&confab.send_keyed("a:b", "a", "hi", "k").await));
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["new", "hi"]);
}

#[tokio::test]
async fn an_unreadable_receipt_is_a_500_and_stores_nothing() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_keyed("a:b", "a", "hi", "k").await.ok();
    let buckets = redis.keys("*:sent:*").await;
    let field: Vec<Vec<u8>> = redis.command(["HKEYS", &buckets[0]]).await;
    redis.delete(&log_key("a:b")).await;
    for command in [
        &[&b"HSET"[..], buckets[0].as_bytes(), &field[0], b"garbage"][..],
        &[b"SET", buckets[0].as_bytes(), b"another type"],
    ] {
        redis.delete(&buckets[0]).await;
        redis.command::<()>(command).await;
        let answer = confab.send_keyed("a:b", "a", "hi", "k").await;
        assert_eq!(answer.problem(), (500, Value::Null), "{command:?}");
    }
    confab.logged(&redis.logged_key(&buckets[0]).await).await;
    confab.logged("a receipt of 7 bytes").await;
    confab.logged("WRONGTYPE").await;
    assert_eq!(redis.keys("*:log").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_that_broke_while_idle_fails_no_send_and_no_pull() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["first"]).await;
    for round in 0..20 {
        redis.cut_clients().await;
        let text = round.to_string();
        if round % 2 == 0 {
            confab.send("a:b", "a", &text).await.ok();
        } else {
            let answer = confab.send_keyed("a:b", "a", &text, &text).await;
            assert!(!replayed(&answer));
        }
        redis.cut_clients().await;
        let page = confab
            .texts(json!({ "chat": "a:b", "limit": 1, "reverse": true }))
            .await;
        assert_eq!(page, [text]);
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b", "limit": 100 })).await.len(), 21);
}
