//! Several hosts on one Redis, or on one Cluster: they are one confab.

use confab_kit::{Acknowledged, Audit, Cluster, Confab, Follower, Redis, TestResponse};
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

const SENDERS: usize = 8;
const SENDS: usize = 40;
const CHATS: [&str; 3] = ["alice:bob", "alice:carol", "bob:carol"];

/// Sends by both hosts, while each has a follower, and shows that it is as if there were one.
async fn two_hosts_are_one_confab(hosts: [Confab; 2]) {
    let hosts = hosts.map(Arc::new);
    let [first, second] = &hosts;
    let mut followers = Vec::new();
    for chat in CHATS {
        for host in &hosts {
            let query = format!("chat={chat}&cursor=0");
            followers.push((chat, Follower::start(host, &query, None).opened().await));
        }
    }
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let [first, second] = hosts.clone();
        senders.spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0..SENDS {
                let chat = CHATS[(sender + number) % CHATS.len()];
                let (name, _) = chat.split_once(':').unwrap();
                let text = format!("{sender}/{number}");
                // Both at once: one stores it, the other replays it.
                let (one, other) = tokio::join!(
                    first.send_keyed(chat, name, &text, &text),
                    second.send_keyed(chat, name, &text, &text)
                );
                let replayed =
                    |answer: &TestResponse| answer.status == 200 && answer.headers.contains_key("idempotency-replayed");
                assert_ne!(replayed(&one), replayed(&other), "{text}");
                let receipt = one.ok();
                assert_eq!(receipt, other.ok());
                acknowledged.push(Acknowledged::new(chat, text, receipt));
            }
            acknowledged
        });
    }
    let acknowledged = senders.join_all().await.concat();
    let mut received = 0;
    for (chat, follower) in &mut followers {
        let stored = first.walk(json!({ "chat": chat, "limit": 1000 })).await;
        assert_eq!(second.walk(json!({ "chat": chat, "limit": 7 })).await, stored);
        for message in &stored {
            assert_eq!(&follower.next().await.data, message);
            received += 1;
        }
    }
    for host in &hosts {
        let audit = Audit::of(host, &acknowledged).await;
        println!("two hosts, each send by both at once: {audit}; {received} received");
        audit.assert_clean();
        assert_eq!(audit.stored, SENDERS * SENDS);
    }
    // What one host changes, the other has.
    let by = async |host: &Confab| [host.inbox("alice").await, host.inbox("carol").await];
    assert_eq!(first.read_all("alice:carol", "carol").await["unread"], 0);
    assert_eq!(by(second).await, by(first).await);
    assert_eq!(second.inbox_chat("carol", "alice:carol").await["unread"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_on_one_redis_are_one_confab() {
    let redis = Redis::start();
    two_hosts_are_one_confab([Confab::start(&redis), Confab::start(&redis)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_on_one_cluster_are_one_confab() {
    let cluster = Cluster::start().await;
    // Each begins at another node.
    let on = |node| Confab::on(cluster.node(node)).variable("redis_nodes", Cluster::NODES);
    two_hosts_are_one_confab([on(0).start(), on(2).start()]).await;
}
