//! `scripts/retain` on any log, beside sends and in a Cluster: it removes what is older, and that alone.

use crate::retain::{EPOCH, fill, retain, run, settings, stored};
use confab_kit::{Cluster, Confab, Follower, Redis, log_key, seed, texts};
use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test]
async fn whatever_is_missing_what_is_older_goes_and_the_rest_stays() {
    let mut random = Rng::with_seed(seed());
    let redis = Redis::start();
    let hour = 3_600_000_000;
    let cutoff = redis.time().await - 30 * 24 * hour;
    let mut expected = BTreeMap::new();
    for chat in 0..60 {
        let (chat, count) = (format!("a:b{chat}"), random.u64(1..600));
        let first = random.u64(0..50) * 1000;
        // From an hour on, so that the run takes none for older than it is; many of nearly one time.
        let old = random.u64(0..=count);
        let time = |at| {
            if at < old {
                cutoff - hour - (old - at)
            } else {
                cutoff + hour + (at - old) * random.clone().u64(1..hour)
            }
        };
        let entries: Vec<_> = (0..count).map(|at| (first + at, time(at))).collect();
        fill(&redis, &chat, entries.iter().copied()).await;
        // The oldest, the newest, and others, alone and in rows, as by XDEL.
        let mut holes = vec![entries[0].0, entries[entries.len() - 1].0];
        for _ in 0..random.u64(0..6) {
            let begin = random.u64(0..count);
            holes.extend(first + begin..first + begin + random.u64(1..150));
        }
        holes.truncate(random.usize(0..=holes.len()));
        for hole in &holes {
            redis
                .command::<()>(["XDEL", &log_key(&chat), &format!("{EPOCH}-{hole}")])
                .await;
        }
        let left = entries
            .into_iter()
            .filter(|(index, time)| *time >= cutoff && !holes.contains(index));
        expected.insert(chat, left.collect::<Vec<_>>());
    }
    let emptied: Vec<String> = redis.keys("confab:*").await;
    let mut empty = 0;
    for log in &emptied {
        empty += usize::from(redis.command::<u64>(["XLEN", log]).await == 0);
    }
    run(&redis).await;
    let mut whole = 0;
    for (chat, left) in &expected {
        assert_eq!(&stored(&redis, chat).await, left, "{chat}");
        whole += usize::from(left.is_empty());
        let is_there: bool = redis.command(["EXISTS", &log_key(chat)]).await;
        let kept = settings(&redis, chat).await;
        // A log that was emptied by hand stays, as its index must not be used again.
        assert!(is_there == kept.is_empty(), "{chat} {kept:?}");
    }
    println!("60 logs: {whole} had nothing left, {empty} of them emptied by hand");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_during_a_run_survives_it_for_followers_too() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("stream_heartbeat_s", 1).start();
    let old = redis.time().await - 31 * 24 * 3_600_000_000;
    let chats: Vec<_> = (0..150).map(|chat| format!("a:b{chat}")).collect();
    for (at, chat) in chats.iter().enumerate() {
        // One, or several steps of a run.
        let count = if at % 3 == 0 { 350 } else { 1 };
        fill(&redis, chat, (0..count).map(|index| (index, old + index))).await;
    }
    let mut followers = Vec::new();
    for chat in chats.iter().step_by(15) {
        followers.push(Follower::start(&confab, &format!("chat={chat}"), None).opened().await);
    }
    let send = async {
        for chat in &chats {
            confab.send_all(chat, "a", ["new"]).await;
            tokio::task::yield_now().await;
        }
    };
    let runs = async {
        for _ in 0..3 {
            run(&redis).await;
        }
    };
    tokio::join!(send, runs);
    run(&redis).await;
    for chat in &chats {
        assert_eq!(confab.texts(json!({ "chat": chat })).await, ["new"], "{chat}");
    }
    for follower in &mut followers {
        let mut event = follower.next().await;
        while event.name != "message" {
            assert!(["gap", "reset"].contains(&&*event.name), "{event:?}");
            event = follower.next().await;
        }
        assert_eq!(event.data["text"], "new");
    }
}

#[tokio::test]
async fn in_a_cluster_each_primary_has_a_run_of_its_own() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    let chats: Vec<_> = (0..24).map(|chat| format!("a:b{chat}")).collect();
    let old = cluster.node(0).time().await - 31 * 24 * 3_600_000_000;
    let mut on_first = 0;
    for chat in &chats {
        let owner = cluster.owner(0, cluster.slot(&log_key(chat)).await).await;
        on_first += usize::from(owner == 0);
        fill(cluster.node(owner), chat, [(0, old), (1, old + 1)]).await;
    }
    confab.send_all(&chats[0], "a", ["new"]).await;
    let left = async || {
        let mut left = 0;
        for node in 0..3 {
            left += cluster.node(node).keys("*:log").await.len();
        }
        left
    };
    run(cluster.node(0)).await;
    let is_first = cluster.owner(0, cluster.slot(&log_key(&chats[0])).await).await == 0;
    assert_eq!(left().await, 24 - on_first + usize::from(is_first));
    for node in [1, 2] {
        run(cluster.node(node)).await;
    }
    assert_eq!(left().await, 1);
    let page: Value = confab.pull(json!({ "chat": chats[0] })).await.ok();
    assert_eq!(
        (texts(&page), &page["first_index"]),
        (vec!["new".to_owned()], &json!(2))
    );
    retain(cluster.node(3), &["--older-than", "30d", "--run"])
        .await
        .fails(&["is a replica", "Name its primary: --redis redis://127.0.0.1:"]);
}
