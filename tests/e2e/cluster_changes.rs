//! A slot moves from node to node, at once or half, while messages are sent and followed.

use crate::cluster::is_refused_for_now;
use confab_kit::{Acknowledged, Audit, Cluster, Confab, Follower, log_key, until};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinSet;

const MOVES: usize = 40;
const SENDERS: usize = 6;
const FOLLOWERS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_moves_back_and_forth_under_load_and_nothing_is_lost_doubled_or_out_of_order() {
    let cluster = Cluster::start().await;
    let slot = cluster.slot(&log_key("a:b")).await;
    let home = cluster.owner(0, slot).await;
    let away = (home + 1) % 3;
    let confab = Arc::new(Confab::on_cluster(&cluster).variable("stream_heartbeat_s", 1).start());
    let (over, refused, sent) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let (confab, over) = (Arc::clone(&confab), Arc::clone(&over));
        let (refused, sent) = (Arc::clone(&refused), Arc::clone(&sent));
        senders.spawn(async move {
            let mut acknowledged = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let text = format!("{sender}/{}", acknowledged.len());
                let answer = loop {
                    let answer = confab.send_keyed("a:b", "a", &text, &text).await;
                    if answer.status == 200 {
                        break answer.json();
                    }
                    assert_eq!(answer.problem(), (503, Value::Null), "{}", confab.log());
                    refused.fetch_add(1, Ordering::Relaxed);
                };
                acknowledged.push(Acknowledged::new("a:b", text, answer));
                sent.fetch_add(1, Ordering::Relaxed);
            }
            acknowledged
        });
    }
    let mut followers = Vec::new();
    for _ in 0..FOLLOWERS {
        followers.push(Follower::start(&confab, "chat=a:b&cursor=0", None).opened().await);
    }
    for number in 0..MOVES {
        let enough = sent.load(Ordering::Relaxed) + 20;
        let more = async || sent.load(Ordering::Relaxed) >= enough;
        until("some messages more are sent", more).await;
        let (from, to) = if number % 2 == 0 { (home, away) } else { (away, home) };
        cluster.move_slot(slot, from, to).await;
    }
    over.store(true, Ordering::Relaxed);
    let acknowledged = senders.join_all().await.concat();
    let audit = Audit::of(&confab, &acknowledged).await;
    let mut received = 0;
    for follower in &mut followers {
        for expected in 0..u64::try_from(audit.stored).unwrap() {
            assert_eq!(follower.next().await.index(), expected);
            received += 1;
        }
    }
    println!(
        "a slot was moved {MOVES} times under {SENDERS} senders and {FOLLOWERS} followers: {audit}; {} refused; {received} received, 0 missed",
        refused.load(Ordering::Relaxed)
    );
    audit.assert_clean();
    assert_eq!(audit.stored, audit.acknowledged);
    // A send waits for the slot, and asks where it is. One that is in the middle of several moves may be too late.
    assert!(refused.load(Ordering::Relaxed) <= 2 * SENDERS, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_is_held_half_moved_is_read_and_a_send_is_a_503_that_stores_nothing() {
    let cluster = Cluster::start().await;
    let slot = cluster.slot(&log_key("a:b")).await;
    let from = cluster.owner(0, slot).await;
    let to = (from + 1) % 3;
    let confab = Confab::on_cluster(&cluster)
        .variable("redis_timeout_ms", 500)
        .variable("stream_heartbeat_s", 1)
        .start();
    confab.send("a:b", "a", "before").await.ok();
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None).opened().await;
    assert_eq!(follower.next().await.index(), 0);
    cluster.open(slot, from, to).await;
    let send = async || confab.send_keyed("a:b", "a", "new", "key").await;
    // The chat log is on the one node, and then on the other; the new bucket is on none.
    is_refused_for_now(send).await;
    while cluster.migrate(slot, from, to, 10).await > 0 {}
    is_refused_for_now(send).await;
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["before"]);
    confab
        .logged("Redis refused: TRYAGAIN, its Cluster is moving the keys")
        .await;
    cluster.assign(slot, from, to).await;
    assert_eq!(send().await.ok()["index"], 1);
    assert_eq!(follower.next_but_problems().await.index(), 1);
}
