//! Blocks in a Cluster, where a member's feed is elsewhere than the chat, and behind replicas.

use crate::blocks::{a_block_divides_what_is_sent, assert_blocked};
use confab_kit::{Cluster, Confab, Follower, Redis, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_block_divides_what_is_sent_at_once_in_a_cluster() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    a_block_divides_what_is_sent(&confab).await;
    let mut follower = Follower::of_inbox(&confab, "name=a", None);
    assert_eq!(follower.next().await.data["chats"][0]["blocked"], true);
    confab
        .set(json!({ "name": "a", "chat": "a:b", "muted": true }))
        .await
        .ok();
    assert_eq!(follower.next().await.data["muted"], true);
}

#[tokio::test]
async fn a_block_is_acknowledged_once_replicas_have_it() {
    let primary = Redis::start();
    let replica = Redis::replica_of(&primary).await;
    let confab = Confab::on(&primary).variable("redis_replicas", 1).start();
    confab.send("a:b", "b", "hi").await.ok();
    let set = async |blocked: bool| {
        confab
            .set(json!({ "name": "a", "chat": "a:b", "blocked": blocked }))
            .await
    };
    set(true).await.ok();
    replica.hang();
    // Said again it writes again: from Redis 7.2 on, nobody would wait for the replica else.
    let changes = async || primary.info("persistence").await.number("rdb_changes_since_last_save");
    for blocked in [true, true, false, false] {
        let before = changes().await;
        let answer = set(blocked).await;
        assert!(changes().await > before);
        assert_eq!(
            (answer.problem(), &answer.json()["stored"]),
            ((503, Value::Null), &Value::Null)
        );
    }
    replica.resume();
    set(true).await.ok();
    let on_replica = async || {
        replica
            .command::<Option<String>>(["HGET", "confab:{a:b}:settings", "blocked:a"])
            .await
    };
    until("the replica has the block", async || {
        on_replica().await.as_deref() == Some("1")
    })
    .await;
    assert_blocked(&confab.send("a:b", "b", "hi").await);
}
