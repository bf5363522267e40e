//! The connection to Redis is delayed, cut and hung: each acknowledged message is stored once, in one order for all readers.

use confab_kit::{Acknowledged, Audit, Confab, Fault, Odds, Proxy, Redis, Traffic, seed};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const ODDS: Odds = &[
    (Fault::Delay(Duration::from_millis(5)), 20),
    (Fault::CutBefore, 20),
    (Fault::CutMidway, 20),
    (Fault::CutAfter, 30),
    (Fault::Hang, 2),
];

/// A Redis, a proxy in front of it, and a confab that connects through the proxy.
fn behind_proxy(odds: Odds, seed: u64) -> (Redis, Proxy, Arc<Confab>) {
    let redis = Redis::start();
    let proxy = Proxy::start(&redis, Traffic::Random(odds, seed));
    let confab = Confab::on(&proxy).variable("redis_timeout_ms", 300).start();
    (redis, proxy, Arc::new(confab))
}

const CHATS: [&str; 3] = ["a:b", "a:c", "b:c"];
const CLIENTS: usize = 24;
const SENDS_PER_CLIENT: usize = 125;

#[tokio::test(flavor = "multi_thread")]
async fn keyed_sends_that_are_repeated_until_they_succeed_are_stored_once_in_one_order() {
    let seed = seed();
    let (redis, proxy, confab) = behind_proxy(ODDS, seed);
    let all_sent = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for chat in CHATS {
        readers.spawn(read_until(Arc::clone(&confab), chat, Arc::clone(&all_sent)));
    }
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let confab = Arc::clone(&confab);
        clients.spawn(async move {
            let chat = CHATS[client % CHATS.len()];
            let mut acknowledged = Vec::new();
            let mut tries = 0;
            for number in 0..SENDS_PER_CLIENT {
                let text = format!("{client}/{number}");
                let receipt = loop {
                    tries += 1;
                    let answer = confab.send_keyed(chat, &chat[..1], &text, &text).await;
                    if answer.status == 200 {
                        break answer.json();
                    }
                    assert_eq!(answer.problem(), (503, Value::Null));
                };
                acknowledged.push(Acknowledged::new(chat, text, receipt));
            }
            (acknowledged, tries)
        });
    }
    let (mut acknowledged, mut tries) = (Vec::new(), 0);
    while let Some(client) = clients.join_next().await {
        let (messages, more_tries) = client.unwrap();
        acknowledged.extend(messages);
        tries += more_tries;
    }
    all_sent.store(true, Ordering::Relaxed);
    let views = readers.join_all().await;

    let direct = Confab::start(&redis);
    let audit = Audit::of(&direct, &acknowledged).await;
    let sends = CLIENTS * SENDS_PER_CLIENT;
    let faults = proxy.faults();
    println!("faulty connection, keyed: {sends} sends in {tries} tries, {faults}, {audit}");
    audit.assert_clean();
    assert_eq!((audit.acknowledged, audit.stored), (sends, sends));
    for kind in [Fault::CutBefore, Fault::CutMidway, Fault::CutAfter] {
        assert!(faults.count(kind) > 0, "there was no {kind:?}");
    }
    // Readers saw the messages where they are now: no message has moved.
    for (chat, seen) in views {
        let stored = direct.walk(json!({ "chat": chat, "limit": 1000 })).await;
        for message in seen.values() {
            assert!(stored.contains(message), "{chat} had {message} at another index");
        }
    }
}

/// A chat, and its messages by their indexes.
type Seen = (&'static str, HashMap<u64, Value>);

/// Reads the chat again and again in both directions, until all is sent. No index may ever change its message.
async fn read_until(confab: Arc<Confab>, chat: &'static str, all_sent: Arc<AtomicBool>) -> Seen {
    let mut seen = HashMap::new();
    let mut cursor = json!(0);
    while !all_sent.load(Ordering::Relaxed) {
        for reverse in [false, true] {
            let from = if reverse { json!(0) } else { cursor.clone() };
            let answer = confab
                .pull(json!({ "chat": chat, "cursor": from, "limit": 20, "reverse": reverse }))
                .await;
            if answer.status == 503 {
                continue;
            }
            let page = answer.ok();
            for message in page["messages"].as_array().unwrap() {
                let index = message["index"].as_u64().unwrap();
                let before = seen.entry(index).or_insert_with(|| message.clone());
                assert_eq!(before, message, "index {index} of {chat} has changed");
            }
            if !reverse {
                cursor = page["next_cursor"].as_u64().map_or(json!(0), |next| json!(next));
            }
        }
    }
    (chat, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_without_a_key_is_stored_once_if_it_succeeds_and_at_most_once_if_it_fails() {
    let seed = seed();
    let (redis, proxy, confab) = behind_proxy(ODDS, seed);
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let confab = Arc::clone(&confab);
        clients.spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0..40 {
                let text = format!("{client}/{number}");
                let answer = confab.send("a:b", "a", &text).await;
                if answer.status == 200 {
                    acknowledged.push(Acknowledged::new("a:b", text, answer.json()));
                } else {
                    assert_eq!(answer.problem(), (503, Value::Null));
                }
            }
            acknowledged
        });
    }
    let acknowledged = clients.join_all().await.concat();
    let audit = Audit::of(&Confab::start(&redis), &acknowledged).await;
    println!(
        "faulty connection, no keys: {} sends, {}, {audit}",
        CLIENTS * 40,
        proxy.faults()
    );
    audit.assert_clean();
}

#[tokio::test]
async fn a_lost_reply_is_requested_again_and_nothing_is_doubled() {
    let seed = seed();
    // In two of five cases, Redis runs the command and its reply is lost.
    let (redis, proxy, confab) = behind_proxy(&[(Fault::CutAfter, 400)], seed);
    let mut acknowledged = Vec::new();
    for number in 0..100 {
        let text = number.to_string();
        let answer = confab.send("a:b", "a", &text).await;
        if answer.status == 200 {
            acknowledged.push(Acknowledged::new("a:b", text, answer.json()));
        }
    }
    let audit = Audit::of(&Confab::start(&redis), &acknowledged).await;
    println!("lost replies, no keys: 100 sends, {}, {audit}", proxy.faults());
    audit.assert_clean();
    assert!(audit.acknowledged > 20, "the component does not try again");
}
