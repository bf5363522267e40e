//! What is in Redis, to the letter: other versions of confab, and other tools, read it too.

use crate::support::{Confab, Redis};
use redis::Value as Reply;
use serde_json::{Value, json};

async fn query(redis: &Redis, command: &[&str]) -> Reply {
    redis::cmd(command[0])
        .arg(&command[1..])
        .query_async(&mut redis.connect().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_keys_and_entries_are_what_they_have_always_been() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    let first = confab.send("Bob:Alice", "Alice", "hi").await.ok()["send_time"]
        .as_u64()
        .unwrap();
    let second = confab.send("alice:bob", "bob", "ho").await.ok()["send_time"]
        .as_u64()
        .unwrap();
    confab.send("}{:%7B", "}{", "hi").await.ok();

    let sent = confab.send_keyed("}{:%7B", "}{", "ho", "K/1").await.ok()["send_time"]
        .as_u64()
        .unwrap();

    let logs = redis.keys("*:log").await;
    assert_eq!(logs, ["confab:{%257b:%7D%7B}:log", "confab:{alice:bob}:log"]);
    assert_eq!(redis.keys("*:sent:*").await, ["confab:{%257b:%7D%7B}:sent:%7D%7B:K/1"]);
    let nonces = redis.keys("*:try:*").await;
    assert_eq!(nonces.len(), 3);
    for nonce in nonces {
        let digits = nonce.rsplit_once(':').unwrap().1;
        assert!(
            digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{nonce}"
        );
        let left: u64 = redis::from_owned_redis_value(query(&redis, &["PTTL", &nonce]).await).unwrap();
        assert!((1..=60_000).contains(&left), "{nonce}: {left} ms");
    }

    let entries = query(&redis, &["XRANGE", "confab:{alice:bob}:log", "-", "+"]).await;
    let entries: Vec<(String, Vec<String>)> = redis::from_owned_redis_value(entries).unwrap();
    let fields = |sender: &str, time: u64, text: &str| {
        ["sender", sender, "time", &time.to_string(), "text", text]
            .map(str::to_owned)
            .to_vec()
    };
    // The epoch in the ids is the time at which the log began.
    assert_eq!(
        entries,
        [
            (format!("{first}-0"), fields("Alice", first, "hi")),
            (format!("{first}-1"), fields("bob", second, "ho")),
        ]
    );

    let key = "confab:{%257b:%7D%7B}:sent:%7D%7B:K/1";
    let receipt: String = redis::from_owned_redis_value(query(&redis, &["GET", key]).await).unwrap();
    let (id, rest) = receipt.split_once(' ').unwrap();
    assert!(id.ends_with("-1"), "{receipt}");
    // The SHA-1 of "ho".
    assert_eq!(rest, format!("{sent} 9a76a857ad399b492ba01879d0fa2d717e4430b2"));
}

#[tokio::test]
async fn a_redis_cluster_of_one_address_serves_chats_each_in_its_slot() {
    let redis = Redis::with(&["--cluster-enabled", "yes"]);
    query(&redis, &["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
    let state = async || redis::from_owned_redis_value::<String>(query(&redis, &["CLUSTER", "INFO"]).await).unwrap();
    while !state().await.contains("cluster_state:ok") {}
    let confab = Confab::start(&redis).await;
    for chat in ["a:b", "{:}", "%:{}"] {
        let (sender, _) = chat.split_once(':').unwrap();
        confab.send_all(chat, sender, ["1", "2"]).await;
        assert_eq!(confab.texts(json!({ "chat": chat })).await, ["1", "2"]);
    }
    let slot = async |key: &str| query(&redis, &["CLUSTER", "KEYSLOT", key]).await;
    assert_eq!(slot("confab:{a:b}:log").await, slot("a:b").await);
    assert_eq!(slot("confab:{%7B:%7D}:log").await, slot("%7B:%7D").await);
}

#[tokio::test]
async fn a_key_of_the_wrong_type_is_a_500_whose_cause_only_the_log_has() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    query(&redis, &["SET", "confab:{a:b}:log", "not a log"]).await;
    assert_eq!(confab.send("a:b", "a", "hi").await.problem(), (500, Value::Null));
    assert_eq!(
        confab.pull(json!({ "chat": "a:b" })).await.problem(),
        (500, Value::Null)
    );
    assert_eq!(
        confab
            .log()
            .matches("confab:{a:b}:log could not be read: WRONGTYPE")
            .count(),
        2,
        "{}",
        confab.log()
    );
    confab.send("a:c", "a", "hi").await.ok();
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_hides_no_other() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    confab.send_all("a:b", "a", ["0", "1"]).await;
    let key = "confab:{a:b}:log";
    let last = query(&redis, &["XREVRANGE", key, "+", "-", "COUNT", "1"]).await;
    let last: Vec<(String, Vec<String>)> = redis::from_owned_redis_value(last).unwrap();
    let epoch = last[0].0.split_once('-').unwrap().0.to_owned();
    query(&redis, &["XADD", key, &format!("{epoch}-2"), "from", "elsewhere"]).await;
    confab.send_all("a:b", "a", ["3", "4"]).await;

    assert_eq!(confab.texts(json!({ "chat": "a:b", "limit": 2 })).await, ["0", "1"]);
    assert_eq!(confab.texts(json!({ "chat": "a:b", "cursor": 3 })).await, ["3", "4"]);
    assert_eq!(
        confab
            .texts(json!({ "chat": "a:b", "limit": 2, "reverse": true }))
            .await,
        ["4", "3"]
    );
    assert_eq!(confab.log(), "");
    assert_eq!(
        confab.pull(json!({ "chat": "a:b", "limit": 3 })).await.problem(),
        (500, Value::Null)
    );
    assert!(
        confab
            .log()
            .contains(&format!("{key} could not be read: entry {epoch}-2: ")),
        "{}",
        confab.log()
    );
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_given_to_it_again() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    confab.send_all("a:b", "a", ["0"]).await;
    query(&redis, &["SCRIPT", "FLUSH"]).await;
    confab.send_all("a:b", "a", ["1"]).await;
    query(&redis, &["SCRIPT", "FLUSH"]).await;
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["0", "1"]);
}
