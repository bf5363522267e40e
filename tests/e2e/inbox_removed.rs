//! Chats whose logs were removed leave the inbox with the pages that meet them, and come back with their next message.

use confab_kit::{Cluster, Confab, Redis, log_key, numbers};
use serde_json::Value;

const INBOX: &str = "confab:{a}:inbox";

async fn left(redis: &Redis) -> usize {
    redis.command(["ZCARD", INBOX]).await
}

#[tokio::test]
async fn a_page_removes_up_to_100_chats_without_messages() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    for other in ["b", "c"] {
        confab.send_all(&format!("a:{other}"), other, ["hi"]).await;
    }
    let kept = confab.inbox("a").await;
    assert_eq!((kept.len(), left(&redis).await), (2, 2));
    let mut fill = redis::pipe();
    for number in 0..250 {
        fill.zadd(INBOX, format!("a:gone{number}"), 1_700_000_000_000_000_u64 + number)
            .ignore();
    }
    let () = fill.query_async(&mut redis.connect().await).await.unwrap();
    for expected in [152, 52, 2, 2] {
        assert_eq!(confab.inbox("a").await, kept);
        assert_eq!(left(&redis).await, expected);
    }
    // What cannot be read is not taken for what is gone.
    redis.command::<()>(["SET", &log_key("a:b"), "not a log"]).await;
    assert_eq!((confab.inbox("a").await.len(), left(&redis).await), (1, 2));
    // Whoever may not remove anything may still read.
    redis.delete(&log_key("a:b")).await;
    let credentials = redis.user("reader", &["~*", "+@all", "-zrem"]).await;
    let reading = Confab::on(&redis).variable("redis_credentials", credentials).start();
    assert_eq!((reading.inbox("a").await.len(), left(&redis).await), (1, 2));
}

/// Sends to a chat whose log is gone, while its inbox is read.
async fn a_message_that_comes_meanwhile_keeps_its_chat(confab: &Confab, delete: impl AsyncFn(&str)) {
    confab.send_all("a:b", "b", ["hi"]).await;
    for round in numbers(0..150) {
        delete("a:b").await;
        let send = async {
            tokio::task::yield_now().await;
            confab.send("a:b", "b", &round).await.ok();
        };
        let (_, (), _) = tokio::join!(confab.inbox("a"), send, confab.inbox("a"));
        let chats = confab.inbox("a").await;
        let texts: Vec<&Value> = chats.iter().map(|chat| &chat["last"]["text"]).collect();
        assert_eq!(texts, [&round]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_meanwhile_keeps_its_chat_in_the_inbox() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    a_message_that_comes_meanwhile_keeps_its_chat(&confab, async |chat| redis.delete(&log_key(chat)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_removes_chats_too_and_none_that_has_a_message() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    let at = async |key: &str| cluster.node(cluster.owner(0, cluster.slot(key).await).await);
    let delete = async |chat: &str| at(&log_key(chat)).await.delete(&log_key(chat)).await;
    a_message_that_comes_meanwhile_keeps_its_chat(&confab, &delete).await;
    for other in ["c", "d", "e", "f"] {
        let chat = format!("a:{other}");
        confab.send_all(&chat, other, ["hi"]).await;
        delete(&chat).await;
    }
    assert_eq!(confab.inbox("a").await.len(), 1);
    assert_eq!(left(at(INBOX).await).await, 1);
}
