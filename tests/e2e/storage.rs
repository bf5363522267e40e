//! The keys and values in Redis, exactly: other versions of confab and other tools read them too.

use confab_kit::{Confab, Redis, log_key, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn keys_entries_and_receipts_have_their_documented_format() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
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

    let marks: Vec<String> = redis.command(["HGETALL", "confab:{alice:bob}:marks"]).await;
    assert_eq!(
        marks,
        [
            "alice",
            &format!("{first}-0-{first}"),
            "bob",
            &format!("{first}-1-{second}")
        ]
    );
    for name in ["alice", "bob"] {
        let inbox: Vec<String> = redis
            .command(["ZRANGE", &format!("confab:{{{name}}}:inbox"), "0", "-1", "WITHSCORES"])
            .await;
        assert_eq!(inbox, ["alice:bob", &second.to_string()]);
    }
    let inboxes = redis.keys("*:inbox").await;
    assert_eq!(inboxes.len(), 4);
    assert!(inboxes.contains(&"confab:{%257b}:inbox".into()) && inboxes.contains(&"confab:{%7D%7B}:inbox".into()));
    assert_eq!(redis.keys("*:feed").await, Vec::<String>::new());

    let logs = redis.keys("*:log").await;
    assert_eq!(logs, ["confab:{%257b:%7D%7B}:log", "confab:{alice:bob}:log"]);
    let entries: Vec<(String, Vec<String>)> = redis.command(["XRANGE", "confab:{alice:bob}:log", "-", "+"]).await;
    let fields = |sender: &str, time: u64, text: &str| vec![time.to_string(), format!("{sender}:{text}")];
    // The epoch in the ids is the time at which the log began.
    assert_eq!(
        entries,
        [
            (format!("{first}-0"), fields("Alice", first, "hi")),
            (format!("{first}-1"), fields("bob", second, "ho")),
        ]
    );

    // Receipts: for a day and for a minute, in buckets of powers of two of seconds.
    let [keyed] = &redis.keys("*:sent:131072:*").await[..] else {
        panic!("there is not one bucket of keyed sends");
    };
    assert_eq!(
        redis.keys("*:sent:64:*").await.len() + 1,
        redis.keys("*:sent:*").await.len()
    );
    let (key, bucket) = keyed.rsplit_once(':').unwrap();
    assert_eq!(key, "confab:{%257b:%7D%7B}:sent:131072");
    assert_eq!(bucket.parse(), Ok(sent / 1_000_000 / 131_072));
    let receipts: Vec<Vec<u8>> = redis.command(["HGETALL", keyed]).await;
    let [field, receipt] = &receipts[..] else {
        panic!("there is not one receipt");
    };
    // `}{` is the second member. The field is the start of SHA-1("1K/1").
    assert_eq!(
        field[..],
        [0x82, 0x11, 0xce, 0x71, 0x61, 0xd3, 0x07, 0x65, 0x10, 0xb5, 0xac, 0xe6]
    );
    // 7 bytes of epoch, 6 of index, 7 of time, and the start of SHA-1("ho"); the last 4 are of the nonce.
    let epoch = confab.epoch("}{:%7B").await.to_be_bytes();
    let [index, time] = [1, sent].map(u64::to_be_bytes);
    let expected = [&epoch[1..], &index[2..], &time[1..], &[0x9a, 0x76, 0xa8, 0x57]].concat();
    assert_eq!((&receipt[..24], receipt.len()), (&expected[..], 28));
}

#[tokio::test]
async fn the_keys_of_a_chat_are_in_one_slot_and_those_of_a_person_in_one() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let cluster = Redis::with(&["--cluster-enabled", "yes"]);
    for chat in ["a:b", "{:}", "%:{}", "é:a"] {
        redis.empty().await;
        let (sender, _) = chat.split_once(':').unwrap();
        confab.send_keyed(chat, sender, "hi", "k").await.ok();
        let mut slots = BTreeSet::new();
        for key in redis.keys("*").await {
            let (_, rest) = key.split_once('{').unwrap();
            let (tag, _) = rest.split_once('}').unwrap();
            let slot: u16 = cluster.command(["CLUSTER", "KEYSLOT", &key]).await;
            assert_eq!(slot, cluster.command::<u16>(["CLUSTER", "KEYSLOT", tag]).await, "{key}");
            slots.insert(slot);
        }
        assert_eq!(slots.len(), 3, "{chat}");
    }
}

#[tokio::test]
async fn a_key_of_the_wrong_type_is_a_500_and_its_cause_is_only_in_the_server_log() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let key = log_key("a:b");
    redis.command::<()>(["SET", &key, "not a log"]).await;
    assert_eq!(confab.send("a:b", "a", "hi").await.problem(), (500, Value::Null));
    assert_eq!(
        confab.pull(json!({ "chat": "a:b" })).await.problem(),
        (500, Value::Null)
    );
    let shown = redis.logged_key(&key).await;
    let lines = async || {
        confab
            .log()
            .lines()
            .filter(|line| line.contains(&shown) && line.contains("WRONGTYPE"))
            .count()
    };
    until("each failure is in the server log", async || lines().await == 2).await;
    confab.send("a:c", "a", "hi").await.ok();
}

#[tokio::test]
async fn an_unreadable_entry_hides_no_other_message() {
    for fields in [
        &["from", "elsewhere"][..],
        &["1", "a:b", "2", "a:c"],
        &["1", "without a sender"],
        &["1", "a:b", "", ""],
    ] {
        let redis = Redis::start();
        let confab = Confab::start(&redis);
        confab.send_all("a:b", "a", ["0", "1"]).await;
        let (key, epoch) = (log_key("a:b"), confab.epoch("a:b").await);
        let id = format!("{epoch}-2");
        let command: Vec<_> = ["XADD", &key, &id].iter().chain(fields).copied().collect();
        redis.command::<()>(command).await;
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
        confab.logged(&redis.logged_key(&key).await).await;
        confab.logged(&format!("entry {id}")).await;
    }
}

#[tokio::test]
async fn a_page_has_the_entries_of_one_epoch() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["0", "1", "2"]).await;
    let (key, epoch) = (log_key("a:b"), confab.epoch("a:b").await);
    let after = confab.pull(json!({ "chat": "a:b", "limit": 2 })).await.ok()["position"].clone();
    let later = epoch + 1;
    for (index, text) in [(3, "a:3"), (4, "a:4")] {
        redis
            .command::<()>(["XADD", &key, &format!("{later}-{index}"), &index.to_string(), text])
            .await;
    }
    for limit in [1, 2, 3, 10] {
        let newest = json!({ "chat": "a:b", "limit": limit, "reverse": true });
        let expected = if limit == 1 { &["4"][..] } else { &["4", "3"] };
        assert_eq!(confab.texts(newest).await, expected, "limit {limit}");
        let response = confab
            .pull(json!({ "chat": "a:b", "limit": limit, "after": after }))
            .await;
        assert_eq!(response.problem().0, 410, "limit {limit}");
    }
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_loaded_again() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["0"]).await;
    redis.command::<()>(["SCRIPT", "FLUSH"]).await;
    confab.send_all("a:b", "a", ["1"]).await;
    redis.command::<()>(["SCRIPT", "FLUSH"]).await;
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["0", "1"]);
}
