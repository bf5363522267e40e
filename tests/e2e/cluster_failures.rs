//! A primary of a Cluster dies, or hangs, and its replica takes its place.

use confab_kit::{Acknowledged, Audit, Cluster, Confab, log_key, until};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinSet;

const CLIENTS: usize = 12;

/// Clients that send to chats of every node, and repeat each send, with its key, until it succeeds.
struct Load {
    clients: JoinSet<Vec<Acknowledged>>,
    acknowledged: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Load {
    fn start(confab: &Arc<Confab>) -> Self {
        let mut load = Self {
            clients: JoinSet::new(),
            acknowledged: Arc::default(),
            refused: Arc::default(),
            over: Arc::default(),
        };
        for client in 0..CLIENTS {
            let confab = Arc::clone(confab);
            let (count, refused, over) = (
                Arc::clone(&load.acknowledged),
                Arc::clone(&load.refused),
                Arc::clone(&load.over),
            );
            load.clients.spawn(async move {
                let chat = format!("{client}:x");
                let mut acknowledged = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let text = acknowledged.len().to_string();
                    let answer = confab.send_keyed(&chat, "x", &text, &text).await;
                    if answer.status == 200 {
                        acknowledged.push(Acknowledged::new(&chat, text, answer.json()));
                        count.fetch_add(1, Ordering::Relaxed);
                    } else {
                        assert_eq!(answer.problem(), (503, Value::Null), "{}", confab.log());
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
                acknowledged
            });
        }
        load
    }

    async fn more(&self, count: usize) {
        let enough = self.acknowledged.load(Ordering::Relaxed) + count;
        let more = async || self.acknowledged.load(Ordering::Relaxed) >= enough;
        until("more is sent", more).await;
    }

    async fn stop(self, confab: &Confab, what: &str) -> Audit {
        self.over.store(true, Ordering::Relaxed);
        let acknowledged = self.clients.join_all().await.concat();
        let audit = Audit::of(confab, &acknowledged).await;
        println!("{what}: {audit}, {} refused", self.refused.load(Ordering::Relaxed));
        audit
    }
}

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
