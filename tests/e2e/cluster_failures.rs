//! A primary of a Cluster dies, or hangs, and its replica takes its place.

use crate::cluster_load::Load;
use confab_kit::{Cluster, Confab, log_key, until};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_the_place_of_a_killed_primary_and_nothing_is_doubled() {
    let mut cluster = Cluster::start().await;
    // The node that the component is configured with goes on: an instance begins there.
    let killed = 1;
    let confab = Arc::new(Confab::on_cluster(&cluster).start());
    let load = Load::start(&confab);
    load.more(500).await;
    cluster.node_mut(killed).kill();
    cluster.serves_without(killed).await;
    load.more(500).await;
    cluster.node_mut(killed).restart();
    cluster.healthy().await;
    load.more(200).await;
    let audit = load
        .stop(&confab, "a primary was killed, asynchronous replication")
        .await;
    // How much is lost depends on Redis. The number is printed.
    assert_eq!(audit.doubled, 0, "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_hangs_is_replaced_and_its_return_is_harmless() {
    let cluster = Cluster::start().await;
    let hung = 2;
    let chats: Vec<_> = (0..30).map(|number| format!("h{number}:x")).collect();
    let mut of_hung = Vec::new();
    for chat in &chats {
        if cluster.owner(0, cluster.slot(&log_key(chat)).await).await == hung {
            of_hung.push(chat.as_str());
        }
    }
    let confab = Confab::on_cluster(&cluster).variable("redis_timeout_ms", 1000).start();
    for chat in &chats {
        confab.send(chat, "x", "before").await.ok();
    }
    cluster.node(hung).hang();
    let answer = confab.send_keyed(of_hung[0], "x", "during", "key").await;
    assert_eq!(
        (answer.problem(), &answer.json()["stored"]),
        ((503, Value::Null), &json!(null))
    );
    cluster.serves_without(hung).await;
    for chat in &of_hung {
        let sent = async || confab.send_keyed(chat, "x", "during", "key").await.status == 200;
        until("the replica serves", sent).await;
    }
    cluster.node(hung).resume();
    cluster.healthy().await;
    for chat in &of_hung {
        confab.send(chat, "x", "after").await.ok();
        let texts = confab.texts(json!({ "chat": chat })).await;
        assert_eq!(texts, ["before", "during", "after"], "{chat}");
    }
}

#[tokio::test]
async fn an_instance_that_goes_on_finds_the_replica_that_took_the_place_of_a_primary() {
    let mut cluster = Cluster::start().await;
    let killed = 1;
    let confab = Confab::on_cluster(&cluster).limits(1000, 100_000);
    let confab = confab.variable("redis_timeout_ms", 5000).start();
    let mut of_killed = Vec::new();
    for number in 0..30 {
        let chat = format!("k{number}:x");
        let owner = cluster.owner(0, cluster.slot(&log_key(&chat)).await).await;
        if owner == killed {
            confab.send(&chat, "x", "before").await.ok();
            of_killed.push(chat);
        }
    }
    // An instance that is asked twice a second, and has learnt where the slots were, goes on.
    let asking = async {
        loop {
            assert_eq!(confab.get("/ping").await.status, 200);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let meanwhile = async {
        let instances = confab.instances();
        cluster.node_mut(killed).kill();
        cluster.serves_without(killed).await;
        for chat in &of_killed {
            confab.send(chat, "x", "after").await.ok();
        }
        assert_eq!(confab.instances(), instances);
    };
    tokio::select! {
        () = asking => unreachable!(),
        () = meanwhile => {}
    }
}
