//! What a request costs: round trips to Redis, and the size of the component.

use confab_kit::{Confab, Follower, Redis, component, until};
use serde_json::json;

#[tokio::test]
async fn a_request_costs_at_most_one_redis_round_trip() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    // The first request of each kind opens the connection and loads the script.
    confab.send("a:b", "a", "hi").await.ok();
    confab.pull(json!({ "chat": "a:b" })).await.ok();
    let mut monitor = redis.monitor().await;
    let mut cost = async |what: &str, expected: &[&str]| {
        let commands = monitor.commands().await;
        let asked: Vec<_> = commands.iter().filter(|command| *command != "CLIENT").collect();
        assert_eq!(asked, expected, "{what}");
    };
    confab.send("a:b", "a", "hi").await.ok();
    cost("send", &["EVALSHA"]).await;
    confab.send("new:chat", "new", "hi").await.ok();
    cost("send to a new chat", &["EVALSHA"]).await;
    for what in ["keyed send", "keyed send again"] {
        confab.send_keyed("a:b", "a", "hi", "k").await.ok();
        cost(what, &["EVALSHA"]).await;
    }
    confab.pull(json!({ "chat": "a:b" })).await.ok();
    cost("pull", &["EVALSHA"]).await;
    confab
        .pull(json!({ "chat": "a:b", "reverse": true, "cursor": 1, "before": 9 }))
        .await
        .ok();
    cost("reverse pull", &["EVALSHA"]).await;
    confab.pull(json!({ "chat": "nobody:here" })).await.ok();
    cost("pull of an empty chat", &["EVALSHA"]).await;
    confab.get("/ping").await.ok();
    cost("ping", &[]).await;
    confab.send("a:b", "c", "hi").await.problem();
    confab.get("/api/pull?chat=x").await.problem();
    cost("refused requests", &[]).await;
}

#[tokio::test]
async fn a_followed_message_costs_its_follower_two_round_trips() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["hi"]).await;
    let mut follower = Follower::start(&confab, "chat=a:b", None).opened().await;
    let waiting = async || redis.blocked().await == 1;
    until("the follower waits", waiting).await;
    let mut monitor = redis.monitor().await;
    for _ in 0..3 {
        confab.send_all("a:b", "a", ["hi"]).await;
        follower.next().await;
        until("the follower waits again", waiting).await;
        let asked = monitor.commands().await;
        let asked: Vec<_> = asked
            .iter()
            .filter(|name| !["CLIENT", "INFO"].contains(&name.as_str()))
            .collect();
        // The send, and then the follower: it reads what is new, and waits for more.
        assert_eq!(asked, ["EVALSHA", "EVALSHA", "XREAD"]);
    }
}

/// The bytes of a chat's bucket with so many receipts like `receipt`, with its key and its expiry.
async fn bucket_bytes(redis: &Redis, bucket: &str, receipt: &[u8], receipts: u32) -> u64 {
    let mut fill = redis::pipe();
    fill.cmd("DEL").arg(bucket).ignore();
    for number in 0..receipts {
        // As different as the digests of real ones.
        let field = [number.to_be_bytes(), [7; 4], number.to_le_bytes()].concat();
        fill.cmd("HSET").arg(bucket).arg(field).arg(receipt).ignore();
    }
    let () = fill.query_async(&mut redis.connect().await).await.unwrap();
    let bytes: u64 = redis.command(["MEMORY", "USAGE", bucket, "SAMPLES", "0"]).await;
    // MEMORY USAGE does not count the expiry: an entry of a table, and its place there.
    bytes + 32
}

/// The most bytes of Redis that a receipt may take among others. Its field and its value have 40; what a server adds depends on its tables
/// and on its allocator: Redis 7.0 with its own takes up to 97 in all, and 113 of a Valkey were seen.
const MOST_EACH: u64 = 128;

#[tokio::test]
async fn a_receipt_takes_40_bytes_and_what_a_hash_of_redis_adds() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    for (chat, sender) in [
        ("alice:bob", "bob"),
        ("Οδυσσέας:Πηνελόπη", "Οδυσσέας"),
        ("小明:小红", "小明"),
    ] {
        let longest = "k".repeat(255);
        confab.send_keyed(chat, sender, "hi", &longest).await.ok();
        let [bucket] = &redis.keys("*:sent:131072:*").await[..] else {
            panic!("there is not one bucket");
        };
        let stored: Vec<Vec<u8>> = redis.command(["HGETALL", bucket]).await;
        let lengths: Vec<_> = stored.iter().map(Vec::len).collect();
        assert_eq!(lengths, [12, 28]);
        let alone = bucket_bytes(&redis, bucket, &stored[1], 1).await;
        let key = u64::try_from(bucket.len()).unwrap();
        println!("{chat}: {alone} bytes alone, with a key of {key}");
        // The key has both names, three bytes for each byte beyond ASCII. Redis rounds it up by a quarter at most.
        assert!(alone <= 160 + key + key / 4, "{alone} bytes");
        assert!(alone <= 210 || !chat.is_ascii(), "{alone} bytes");
        for receipts in [10, 100, 512, 513, 1000, 1025, 4097, 10_000] {
            let bytes = bucket_bytes(&redis, bucket, &stored[1], receipts).await;
            let each = bytes.div_ceil(receipts.into());
            println!("{chat}: {each} bytes each of {receipts}");
            assert!(each <= MOST_EACH, "{each} bytes each of {receipts}");
        }
        redis.empty().await;
    }
}

/// Bytes are no goal: below this, no user notices them, and no code is bent to save some. Above it, something is linked in that nobody
/// meant to have: a library twice, its tables, or what is for debugging.
const MOST_BYTES: u64 = 1_300_000;

#[test]
fn the_component_is_small() {
    let size = component::size();
    println!("the component has {size} bytes");
    assert!(size <= MOST_BYTES, "{size} bytes");
}
