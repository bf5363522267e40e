//! `scripts/rewrite`: the bytes of removed messages are gone, and nothing else is.

use confab_kit::{Cluster, Confab, Endpoint, Follower, Ran, Redis, log_key, numbers, script};
use serde_json::json;
use std::path::Path;

pub(crate) async fn rewrite(redis: &Redis, words: &[&str]) -> Ran {
    let url = format!("redis://{}", redis.host());
    script("rewrite", &[&["--redis", &url], words].concat(), &[]).await
}

pub(crate) async fn delete(redis: &Redis, confab: &Confab, chat: &str, index: u64) {
    let id = format!("{}-{index}", confab.epoch(chat).await);
    assert_eq!(redis.command::<u64>(["XDEL", &log_key(chat), &id]).await, 1);
}

/// Whether a snapshot has these bytes.
async fn has(redis: &Redis, bytes: &str) -> bool {
    redis.command::<()>(["SAVE"]).await;
    let (_, folder): (String, String) = redis.command(["CONFIG", "GET", "dir"]).await;
    let snapshot = std::fs::read(Path::new(&folder).join("dump.rdb")).unwrap();
    snapshot.windows(bytes.len()).any(|window| window == bytes.as_bytes())
}

/// What XINFO says of a log, but for what a rewrite changes.
async fn info(redis: &Redis, chat: &str) -> Vec<(String, redis::Value)> {
    let mut info: Vec<(String, redis::Value)> = redis.command(["XINFO", "STREAM", &log_key(chat)]).await;
    info.retain(|(name, _)| !name.starts_with("radix") && name != "entries-added");
    info
}

#[tokio::test]
async fn a_snapshot_has_no_text_that_was_removed_and_nothing_else_changes() {
    let redis = Redis::with(&["--appendonly", "no", "--rdbcompression", "no"]);
    let confab = Confab::start(&redis);
    for number in 0..30 {
        confab.send_all("a:b", "a", [format!("a secret {number}.")]).await;
        confab.send_all("a:c", "c", [format!("a stale {number}.")]).await;
    }
    let data = json!({ "secret": "of data" });
    confab.send_data("a:b", "a", &data, &[]).await.ok();
    confab.send_all("a:b", "b", ["the newest secret"]).await;
    confab.send_all("a:untouched", "a", ["whole"]).await;
    confab
        .read(json!({ "chat": "a:b", "name": "b", "index": 20 }))
        .await
        .ok();
    for index in [0, 7, 8, 30, 31] {
        delete(&redis, &confab, "a:b", index).await;
    }
    redis
        .command::<()>([
            "XTRIM",
            &log_key("a:c"),
            "MINID",
            "=",
            &format!("{}-5", confab.epoch("a:c").await),
        ])
        .await;
    let gone = [
        "a secret 0.",
        "a secret 7.",
        "a secret 8.",
        "{\"secret\":",
        "newest secret",
        "a stale 0.",
        "a stale 4.",
    ];
    for text in gone {
        assert!(has(&redis, text).await, "a removed message is still there: {text}");
    }
    let look = async || {
        let mut seen = vec![json!([
            confab.inbox("a").await,
            confab.inbox("b").await,
            confab.inbox("c").await
        ])];
        for chat in ["a:b", "a:c", "a:untouched"] {
            for request in [
                json!({ "chat": chat }),
                json!({ "chat": chat, "reverse": true, "limit": 3 }),
                json!({ "chat": chat, "after": "0" }),
            ] {
                seen.push(confab.pull(request).await.ok());
            }
        }
        seen
    };
    let (before, infos) = (look().await, [info(&redis, "a:b").await, info(&redis, "a:c").await]);
    let mut follower = Follower::start(&confab, "chat=a:b", None).opened().await;
    let said = rewrite(&redis, &[]).await.ok();
    assert!(said.contains("3 logs: 2 are written anew, 52 messages"), "{said}");
    for text in gone {
        assert!(!has(&redis, text).await, "{text}");
    }
    for text in ["a secret 1.", "a secret 29.", "a stale 5.", "whole"] {
        assert!(has(&redis, text).await, "{text}");
    }
    assert_eq!(look().await, before);
    assert_eq!([info(&redis, "a:b").await, info(&redis, "a:c").await], infos);
    assert_eq!(redis.keys("*rewriting*").await, [""; 0]);
    let said = rewrite(&redis, &[]).await.ok();
    assert!(said.contains("3 logs: 0 are written anew"), "{said}");
    // No index is used twice, and those who wait hear of it.
    assert_eq!(confab.send("a:b", "a", "next").await.ok()["index"], 32);
    let gap = follower.next().await;
    assert_eq!(
        (&*gap.name, &gap.data),
        ("gap", &json!({ "from": 30, "first_index": 32 }))
    );
    assert_eq!(follower.next().await.index(), 32);
    delete(&redis, &confab, "a:b", 32).await;
    let said = rewrite(&redis, &[]).await.ok();
    assert!(said.contains("1 are written anew"), "{said}");
    assert_eq!(confab.send("a:b", "a", "next").await.ok()["index"], 33);
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_removals_and_followers_go_on_while_logs_are_rewritten() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("stream_heartbeat_s", 1).start();
    confab.send_all("a:b", "a", numbers(0..50)).await;
    delete(&redis, &confab, "a:b", 0).await;
    let mut follower = Follower::start(&confab, "chat=a:b", None).opened().await;
    let sends = async {
        for index in 50..350 {
            confab.send_all("a:b", "a", [index.to_string()]).await;
            if index % 3 == 0 {
                delete(&redis, &confab, "a:b", index - 49).await;
            }
        }
    };
    let runs = async {
        for _ in 0..8 {
            rewrite(&redis, &[]).await.ok();
        }
    };
    let follow = async { follower.indexes(300).await };
    let ((), (), received) = tokio::join!(sends, runs, follow);
    assert_eq!(received, (50..350).collect::<Vec<_>>());
    let walked = confab.walk(json!({ "chat": "a:b" })).await;
    let walked: Vec<_> = walked
        .iter()
        .map(|message| message["index"].as_u64().unwrap())
        .collect();
    let is_removed = |index: &u64| *index == 0 || (2..300).contains(index) && (index + 49).is_multiple_of(3);
    assert_eq!(walked, (0..350).filter(|index| !is_removed(index)).collect::<Vec<_>>());
}

#[tokio::test]
async fn in_a_cluster_each_primary_rewrites_its_own_logs() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    let chats: Vec<_> = (0..9).map(|chat| format!("a:b{chat}")).collect();
    for chat in &chats {
        confab.send_all(chat, "a", numbers(0..3)).await;
        let owner = cluster.owner(0, cluster.slot(&log_key(chat)).await).await;
        delete(cluster.node(owner), &confab, chat, 1).await;
    }
    let mut written = 0;
    for node in 0..3 {
        let said = rewrite(cluster.node(node), &[]).await.ok();
        written += said
            .split(" logs: ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse::<usize>()
            .unwrap();
    }
    assert_eq!(written, chats.len());
    for chat in &chats {
        assert_eq!(confab.texts(json!({ "chat": chat })).await, ["0", "2"]);
        assert_eq!(confab.send(chat, "a", "3").await.ok()["index"], 3);
    }
    rewrite(cluster.node(4), &[])
        .await
        .fails(&["is a replica", "Name its primary"]);
}
