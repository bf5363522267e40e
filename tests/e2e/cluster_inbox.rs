//! Inboxes in a Cluster, where a chat and its members are in three slots: what is acknowledged is in the log and in both inboxes.

use confab_kit::{Cluster, Confab, Redis, log_key, until};
use futures::future::join_all;
use serde_json::{Value, json};

const CHATS: usize = 60;

/// Sends to a chat of alice with each of the others, and shows that both inboxes have it.
async fn both_inboxes_have_what_is_sent(confab: &Confab) {
    for round in 0..3 {
        let sends = (0..CHATS).map(|number| async move {
            let (chat, sender) = (format!("alice:p{number}"), format!("p{number}"));
            confab.send(&chat, &sender, &format!("{round}")).await.ok();
        });
        join_all(sends).await;
    }
    let chats = confab.inbox_walk("alice", 50).await;
    assert_eq!(chats.len(), CHATS);
    // Two nodes may give one time to messages of two chats: these are in the order of their names.
    let places: Vec<_> = chats
        .iter()
        .map(|chat| {
            (
                chat["last"]["send_time"].as_u64().unwrap(),
                chat["chat"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(places.is_sorted_by(|newer, older| newer > older), "{places:?}");
    for chat in &chats {
        assert_eq!(
            (&chat["last"]["text"], &chat["unread"]),
            (&json!("2"), &json!(3)),
            "{chat}"
        );
        let of_other = confab.inbox(chat["with"].as_str().unwrap()).await;
        assert_eq!((of_other.len(), &of_other[0]["chat"]), (1, &chat["chat"]));
        assert_eq!(of_other[0]["unread"], 0);
    }
    confab.read_all("alice:p7", "alice").await;
    assert_eq!(confab.inbox_chat("alice", "alice:p7").await["unread"], 0);
    assert_eq!(confab.inbox_chat("p7", "alice:p7").await["read_by_other"], 3);
    // A chat with oneself.
    confab.send("me:me", "me", "note").await.ok();
    assert_eq!(confab.inbox("me").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_inboxes_have_what_is_sent_over_all_nodes() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    both_inboxes_have_what_is_sent(&confab).await;
    assert_eq!(confab.log(), "");
}

#[tokio::test]
async fn a_cluster_of_one_node_never_redirects_and_is_known_by_its_slots() {
    let redis = Redis::with(&["--cluster-enabled", "yes"]);
    redis.command::<()>(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
    let serves = async || redis.try_command::<Option<String>>(["GET", "x"]).await.is_ok();
    until("the Cluster serves", serves).await;
    redis.command::<()>(["CONFIG", "RESETSTAT"]).await;
    let confab = Confab::start(&redis);
    both_inboxes_have_what_is_sent(&confab).await;
    let errors = redis.info("errorstats").await;
    assert_eq!(errors.get("errorstat_MOVED"), None);
    let refused = errors
        .get("errorstat_CROSSSLOT")
        .and_then(|count| count.strip_prefix("count="));
    let refused: usize = refused.unwrap().parse().unwrap();
    println!(
        "{refused} scripts refused for their slots in {} instances",
        confab.instances()
    );
    // Those that an instance sends at once before it knows.
    assert!(refused <= 16 * confab.instances(), "{refused}");
    assert_eq!(confab.log(), "");
}

#[tokio::test]
async fn a_send_that_was_not_acknowledged_may_be_in_the_log_alone_until_it_is_repeated() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    let inbox = "confab:{bob}:inbox";
    let slot = cluster.slot(inbox).await;
    let node = cluster.node(cluster.owner(0, slot).await);
    confab.send_keyed("alice:carol", "alice", "hi", "1").await.ok();
    node.command::<()>(["SET", inbox, "not an inbox"]).await;
    let answer = confab.send_keyed("alice:bob", "alice", "hi", "2").await;
    assert_eq!(answer.problem(), (500, Value::Null));
    assert_eq!(confab.texts(json!({ "chat": "alice:bob" })).await, ["hi"]);
    node.command::<()>(["DEL", inbox]).await;
    assert!(confab.inbox("bob").await.is_empty());
    let again = confab.send_keyed("alice:bob", "alice", "hi", "2").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(confab.inbox("bob").await.len(), 1);
    assert_eq!(confab.inbox("alice").await.len(), 2);
    assert_ne!(cluster.slot(&log_key("alice:bob")).await, slot);
}

#[tokio::test]
async fn a_send_whose_inboxes_cannot_be_reached_does_not_say_that_nothing_is_stored() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).variable("redis_timeout_ms", 1000).start();
    let owner = async |key: String| cluster.owner(0, cluster.slot(&key).await).await;
    let hung = 2;
    // A chat that is elsewhere than one of its members.
    let mut number = 0;
    let (chat, member) = loop {
        let (chat, member) = (format!("a:u{number}"), format!("u{number}"));
        if owner(log_key(&chat)).await != hung && owner(format!("confab:{{{member}}}:inbox")).await == hung {
            break (chat, member);
        }
        number += 1;
    };
    confab.send(&chat, &member, "before").await.ok();
    cluster.node(hung).hang();
    let answer = confab.send_keyed(&chat, &member, "during", "key").await;
    cluster.node(hung).resume();
    assert_eq!(
        (answer.problem(), &answer.json()["stored"]),
        ((503, Value::Null), &Value::Null)
    );
    cluster.healthy().await;
    assert_eq!(confab.texts(json!({ "chat": chat })).await, ["before", "during"]);
}
