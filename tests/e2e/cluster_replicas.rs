//! `redis_replicas` in a Cluster: what is acknowledged survives a failover, and without it the loss is told truly.

use crate::cluster_load::{CHATS, Load};
use confab_kit::{Audit, Cluster, Confab, Follower, Redis, log_key, until};
use serde_json::{Value, json};
use std::sync::Arc;

fn inbox_key(name: &str) -> String {
    format!("confab:{{{name}}}:inbox")
}

async fn owner(cluster: &Cluster, key: &str) -> usize {
    cluster.owner(0, cluster.slot(key).await).await
}

/// A chat of `x` whose log is elsewhere than the inbox of its other member, and that member.
async fn chat_beside(cluster: &Cluster) -> (String, String) {
    for number in 0.. {
        let member = format!("m{number}");
        let chat = format!("{member}:x");
        let of_member = owner(cluster, &inbox_key(&member)).await;
        if of_member != owner(cluster, &log_key(&chat)).await && of_member != owner(cluster, &inbox_key("x")).await {
            return (chat, member);
        }
    }
    unreachable!()
}

/// How many chats an inbox has on a replica.
async fn inbox_size_on(replica: &Redis, inbox: &str) -> usize {
    let mut connection = replica.connect().await;
    let mut pipe = redis::pipe();
    pipe.cmd("READONLY").ignore().cmd("ZCARD").arg(inbox);
    let (size,) = pipe.query_async(&mut connection).await.unwrap();
    size
}

#[tokio::test]
async fn a_send_waits_for_replicas_of_each_node_that_it_writes_to() {
    let cluster = Cluster::start().await;
    let on = || Confab::on_cluster(&cluster).variable("redis_replicas", 1);
    let [confab, another, third] = [on().start(), on().start(), on().start()];
    let (chat, member) = chat_beside(&cluster).await;
    let inbox = inbox_key(&member);
    let node = owner(&cluster, &inbox).await;
    let (primary, replica) = (cluster.node(node), cluster.node(node + 3));
    for host in [&confab, &another] {
        host.send(&chat, "x", "before").await.ok();
    }
    replica.hang();
    // The second repeats the touch of the first over another connection, and changes nothing.
    for host in [&confab, &another, &third] {
        let changes = async || primary.info("persistence").await.number("rdb_changes_since_last_save");
        let before = changes().await;
        let answer = host.send_keyed(&chat, "x", "hi", "key").await;
        assert_eq!(
            (answer.problem(), &answer.json()["stored"]),
            ((503, Value::Null), &Value::Null)
        );
        assert!(changes().await > before);
    }
    replica.resume();
    let again = third.send_keyed(&chat, "x", "hi", "key").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(inbox_size_on(replica, &inbox).await, 1);
    let [entry] = &confab.inbox(&member).await[..] else {
        panic!("there is not one chat");
    };
    let messages = confab.pull(json!({ "chat": chat })).await.ok();
    assert_eq!(entry["last"]["send_time"], messages["messages"][2]["send_time"]);
    let time: u64 = primary.command(["ZSCORE", &inbox, &chat]).await;
    assert_eq!(messages["messages"][2]["send_time"], time);
}

/// Kills a primary while its replica lags, under load, and shows what became of what was acknowledged.
async fn kill_a_primary_whose_replica_lags(replicas: u64) -> Audit {
    let mut cluster = Cluster::start().await;
    let killed = 1;
    let confab = Confab::on_cluster(&cluster).variable("redis_replicas", replicas);
    let confab = Arc::new(confab.variable("redis_timeout_ms", 1500).start());
    let mut followers = Vec::new();
    for chat in CHATS {
        if owner(&cluster, &log_key(chat)).await == killed {
            let follower = Follower::start(&confab, &format!("chat={chat}&cursor=0"), None);
            followers.push((chat, follower.opened().await));
        }
    }
    let load = Load::start(&confab);
    load.more(300).await;
    cluster.node(killed + 3).hang();
    // Else what the replica will not have read is in its socket, and waits there for it.
    cluster
        .node(killed)
        .command::<()>(["CLIENT", "KILL", "TYPE", "replica"])
        .await;
    if replicas == 0 {
        load.more(300).await;
    } else {
        load.more_refused(6).await;
    }
    cluster.node_mut(killed).kill();
    cluster.node(killed + 3).resume();
    cluster.serves_without(killed).await;
    load.more(100).await;
    cluster.node_mut(killed).restart();
    cluster.healthy().await;
    load.more(300).await;
    let what = format!("a primary whose replica lags was killed, redis_replicas = {replicas}");
    let audit = load.stop(&confab, &what).await;
    let mut resets = 0;
    for (chat, mut follower) in followers {
        let stored = confab.walk(json!({ "chat": chat, "limit": 1000 })).await;
        let mut copy: Vec<Value> = Vec::new();
        while copy != stored {
            let event = follower.next_but_problems().await;
            let index = usize::try_from(event.data["index"].as_u64().unwrap()).unwrap();
            if event.name == "reset" {
                assert!(index < copy.len(), "nothing is void: {event:?}");
                // What it keeps is true, and what is void is lost.
                assert_eq!(copy[..index], stored[..index]);
                assert_ne!(copy.get(index), stored.get(index));
                copy.truncate(index);
                resets += 1;
            } else {
                assert_eq!((event.name.as_str(), index), ("message", copy.len()));
                copy.push(event.data);
            }
        }
    }
    println!("followers received {resets} resets, and then what is stored");
    assert_eq!((audit.doubled, replicas > 0 || resets > 0), (0, true));
    audit
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_loses_nothing_that_was_acknowledged_if_a_replica_must_have_it() {
    kill_a_primary_whose_replica_lags(1).await.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_loses_what_no_replica_had_and_followers_are_told_exactly_that() {
    let audit = kill_a_primary_whose_replica_lags(0).await;
    // If nothing were lost, the test above would show nothing.
    assert!(audit.lost > 0, "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_hangs_under_load_and_returns_loses_nothing_that_a_replica_must_have() {
    let cluster = Cluster::start().await;
    let hung = 2;
    let confab = Confab::on_cluster(&cluster).variable("redis_replicas", 1);
    let confab = Arc::new(confab.variable("redis_timeout_ms", 1500).start());
    let load = Load::start(&confab);
    load.more(300).await;
    cluster.node(hung).hang();
    cluster.serves_without(hung).await;
    load.more_refused(1).await;
    cluster.node(hung).resume();
    cluster.healthy().await;
    load.more(300).await;
    let audit = load
        .stop(&confab, "a primary hung and came back, redis_replicas = 1")
        .await;
    audit.assert_clean();
    until("nobody waits any more", async || {
        cluster.node(hung).blocked().await == 0
    })
    .await;
}
