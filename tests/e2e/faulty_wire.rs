//! Redis behind a wire that delays, cuts and hangs: what is acknowledged is stored once, in one order that all readers see.

use crate::support::{Acknowledged, Audit, Confab, Fault, Odds, Redis, Wire, seed, walk};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const LATE: Duration = Duration::from_millis(5);
const ODDS: Odds = &[
    (Fault::Delay, 20),
    (Fault::CutBefore, 20),
    (Fault::CutMidway, 20),
    (Fault::CutAfter, 30),
    (Fault::Hang, 2),
];

/// A Redis, the wire to it, and a confab behind the wire.
async fn behind_wire(odds: Odds, seed: u64) -> (Redis, Wire, Arc<Confab>) {
    let redis = Redis::start();
    let wire = Wire::start(redis.host(), odds, LATE, seed).await;
    let confab = Confab::with(&[("redis_host", wire.host()), ("redis_timeout_ms", "300")]).await;
    (redis, wire, Arc::new(confab))
}

const CHATS: [&str; 3] = ["a:b", "a:c", "b:c"];
const CLIENTS: usize = 24;
const SENDS_OF_A_CLIENT: usize = 125;

#[tokio::test(flavor = "multi_thread")]
async fn keyed_sends_that_are_repeated_until_they_are_answered_are_stored_once_in_one_order() {
    let seed = seed();
    let (redis, wire, confab) = behind_wire(ODDS, seed).await;
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
            for number in 0..SENDS_OF_A_CLIENT {
                let text = format!("{client}/{number}");
                let receipt = loop {
                    tries += 1;
                    let answer = confab.send_keyed(chat, &chat[..1], &text, &text).await;
                    if answer.status == 200 {
                        break answer.json();
                    }
                    assert_eq!(answer.problem(), (503, Value::Null));
                };
                acknowledged.push(Acknowledged {
                    chat: chat.to_owned(),
                    text,
                    receipt,
                });
            }
            (acknowledged, tries)
        });
    }
    let (mut acknowledged, mut tries) = (Vec::new(), 0);
    while let Some(client) = clients.join_next().await {
        let (of_client, its_tries) = client.unwrap();
        acknowledged.extend(of_client);
        tries += its_tries;
    }
    all_sent.store(true, Ordering::Relaxed);
    let views = readers.join_all().await;

    let direct = Confab::start(&redis).await;
    let audit = Audit::of(&direct, &acknowledged).await;
    let sends = CLIENTS * SENDS_OF_A_CLIENT;
    let faults = wire.faults();
    println!("faulty wire, keyed: {sends} sends in {tries} tries, {faults}, {audit}");
    audit.assert_clean();
    assert_eq!((audit.acknowledged, audit.stored), (sends, sends));
    for kind in [Fault::CutBefore, Fault::CutMidway, Fault::CutAfter] {
        assert!(faults.count(kind) > 0, "there was no {kind:?}");
    }
    // What a reader saw under way is what is there now: no message has moved.
    for (chat, seen) in views {
        let stored = walk(&direct, json!({ "chat": chat, "limit": 1000 })).await;
        for message in seen.values() {
            assert!(stored.contains(message), "{chat} had {message} at another place");
        }
    }
}

/// A chat, and its messages by their indexes.
type Seen = (&'static str, HashMap<u64, Value>);

/// Reads the chat again and again, in both directions, until told that all is sent. No index may ever hold another message than
/// it did.
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
async fn a_send_without_a_key_is_stored_once_if_acknowledged_and_at_most_once_if_not() {
    let seed = seed();
    let (redis, wire, confab) = behind_wire(ODDS, seed).await;
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let confab = Arc::clone(&confab);
        clients.spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0..40 {
                let text = format!("{client}/{number}");
                let answer = confab.send("a:b", "a", &text).await;
                if answer.status == 200 {
                    acknowledged.push(Acknowledged {
                        chat: "a:b".to_owned(),
                        text,
                        receipt: answer.json(),
                    });
                } else {
                    assert_eq!(answer.problem(), (503, Value::Null));
                }
            }
            acknowledged
        });
    }
    let acknowledged = clients.join_all().await.concat();
    let audit = Audit::of(&Confab::start(&redis).await, &acknowledged).await;
    println!(
        "faulty wire, no keys: {} sends, {}, {audit}",
        CLIENTS * 40,
        wire.faults()
    );
    audit.assert_clean();
}

#[tokio::test]
async fn a_reply_that_is_lost_is_asked_for_again_and_nothing_is_doubled() {
    let seed = seed();
    // Every second time or so, Redis has done its work and the reply is lost.
    let (redis, wire, confab) = behind_wire(&[(Fault::CutAfter, 400)], seed).await;
    let mut acknowledged = Vec::new();
    for number in 0..100 {
        let text = number.to_string();
        let answer = confab.send("a:b", "a", &text).await;
        if answer.status == 200 {
            acknowledged.push(Acknowledged {
                chat: "a:b".to_owned(),
                text,
                receipt: answer.json(),
            });
        }
    }
    let audit = Audit::of(&Confab::start(&redis).await, &acknowledged).await;
    println!("lost replies, no keys: 100 sends, {}, {audit}", wire.faults());
    audit.assert_clean();
    assert!(audit.acknowledged > 20, "the component did not try again");
}
