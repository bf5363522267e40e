//! What a script loads of chat logs at once, whatever is stored: Redis does nothing else meanwhile.

use confab_kit::{Confab, Follower, Redis, log_key, numbers};
use serde_json::{Value, json};

const EPOCH: u64 = 1_700_000_000_000_000;

/// A text of 64 KiB.
fn long() -> String {
    "x".repeat(64 * 1024)
}

/// Writes a chat log by hand, of the entries with these indexes.
async fn fill(redis: &Redis, chat: &str, indexes: std::ops::Range<u64>, text: &str) {
    let mut fill = redis::pipe();
    for index in indexes {
        fill.cmd("XADD").arg(log_key(chat)).arg(format!("{EPOCH}-{index}"));
        fill.arg(EPOCH + index).arg(format!("{}:{text}", &chat[..1])).ignore();
    }
    let () = fill.query_async(&mut redis.connect().await).await.unwrap();
}

/// The most bytes of entries that one of these scripts loaded. The log is asked again, as Redis does not count them. A command loads 16 at
/// most.
async fn most_loaded(redis: &Redis, commands: &[Vec<Vec<String>>]) -> usize {
    let mut most = 0;
    for script in commands {
        let mut loaded = 0;
        for command in script
            .iter()
            .filter(|command| command[0].ends_with("RANGE") && command[0].starts_with('X'))
        {
            let entries: Vec<(String, Vec<String>)> = redis.command(command).await;
            assert!(entries.len() <= 16, "{command:?}");
            loaded += entries.iter().map(|(_, fields)| fields.concat().len()).sum::<usize>();
        }
        most = most.max(loaded);
    }
    most
}

const MEBIBYTE: usize = 1024 * 1024;

#[tokio::test]
async fn a_page_is_loaded_in_steps_of_16_and_ends_with_the_one_that_fills_it() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    fill(&redis, "a:b", 0..300, "short").await;
    fill(&redis, "a:b", 300..400, &long()).await;
    redis.command::<()>(["XTRIM", &log_key("a:b"), "MAXLEN", "350"]).await;
    let position = |index: u64, time: u64| json!({ "after": format!("{EPOCH}-{index}-{time}") });
    for (what, request, status) in [
        ("short, then long", json!({ "cursor": 0 }), 200),
        ("long", json!({ "cursor": 310 }), 200),
        ("reverse", json!({ "reverse": true }), 200),
        ("reverse, deep", json!({ "reverse": true, "cursor": 20 }), 200),
        ("bounded", json!({ "cursor": 310, "before": 390 }), 200),
        ("after a position", position(320, EPOCH + 320), 200),
        ("after a trimmed position", position(20, EPOCH + 20), 200),
        ("after a lost position", position(390, EPOCH + 320), 410),
    ] {
        let mut request = request;
        request["chat"] = json!("a:b");
        request["limit"] = json!(1000);
        let mut monitor = redis.monitor().await;
        let answer = confab.pull(request).await;
        let scripts = monitor.scripts().await;
        assert_eq!(answer.status, status, "{what}");
        let loaded = most_loaded(&redis, &scripts).await;
        println!("{what}: {loaded} bytes");
        assert!(loaded <= 2 * MEBIBYTE, "{what}: {loaded} bytes");
    }
    let mut monitor = redis.monitor().await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=300", None);
    assert_eq!(follower.indexes(100).await, (300..400).collect::<Vec<_>>());
    let loaded = most_loaded(&redis, &monitor.scripts().await).await;
    assert!(loaded <= 2 * MEBIBYTE, "a follower: {loaded} bytes");
}

#[tokio::test]
async fn the_heads_of_chats_are_read_in_parts_and_the_page_is_whole() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let others = numbers(100..160);
    for other in &others {
        let chat = format!("{other}:a");
        fill(&redis, &chat, 0..10, &long()).await;
        redis.command::<()>(["XTRIM", &log_key(&chat), "MAXLEN", "8"]).await;
        let marks = format!("confab:{{{chat}}}:marks");
        let (own, its) = (format!("{EPOCH}-4-{}", EPOCH + 4), format!("{EPOCH}-6-{}", EPOCH + 6));
        redis.command::<()>(["HSET", &marks, "a", &own, other, &its]).await;
        redis
            .command::<()>(["ZADD", "confab:{a}:inbox", &EPOCH.to_string(), &chat])
            .await;
    }
    let mut monitor = redis.monitor().await;
    let page = confab.inbox_by("name=a&limit=50").await.ok();
    let scripts = monitor.scripts().await;
    let chats = page["chats"].as_array().unwrap();
    let read = |chat: &Value| json!([chat["unread"], chat["read"], chat["read_by_other"], chat["last"]["cut"]]);
    assert_eq!((chats.len(), &page["has_more"]), (50, &json!(true)));
    for (chat, other) in chats.iter().zip(others.iter().rev()) {
        assert_eq!(chat["chat"], format!("{other}:a"));
        assert_eq!(read(chat), json!([5, 5, 7, true]));
    }
    let loaded = most_loaded(&redis, &scripts).await;
    println!("heads: {loaded} bytes, in {} scripts", scripts.len());
    assert!(loaded <= 2 * MEBIBYTE, "{loaded} bytes");
    // All that changes is told by a stream too.
    let mut follower = Follower::of_inbox(&confab, "name=a&limit=1", None);
    follower.next().await;
    for other in &others {
        redis
            .command::<()>([
                "XADD",
                "confab:{a}:feed",
                "NOMKSTREAM",
                "*",
                "chat",
                &format!("{other}:a"),
            ])
            .await;
    }
    let mut told: Vec<String> = Vec::new();
    while told.len() < others.len() {
        let event = follower.next().await;
        assert_eq!(event.name, "chat");
        told.push(event.data["with"].as_str().unwrap().to_owned());
    }
    assert_eq!(told, others);
}

#[tokio::test]
async fn a_deep_page_of_chats_of_one_time_is_found_without_a_walk() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let mut places = redis::pipe();
    for number in 10_000..30_000 {
        places.zadd("confab:{x}:inbox", format!("{number}:x"), EPOCH).ignore();
    }
    let () = places.query_async(&mut redis.connect().await).await.unwrap();
    fill(&redis, "10003:x", 0..1, "hi").await;
    fill(&redis, "10001:x", 0..1, "hi").await;
    let mut monitor = redis.monitor().await;
    // The second place is of a chat that is not there.
    for (before, first) in [("10004:x", "10003:x"), ("100035:x", "10001:x")] {
        let query = format!("name=x&limit=1&before={EPOCH}:{before}");
        let page = confab.inbox_by(&query).await.ok();
        assert_eq!(page["chats"][0]["chat"], first, "{before}");
    }
    let scripts = monitor.scripts().await;
    let walked = |command: &&Vec<String>| command[0] == "ZRANGE" && command.contains(&"BYSCORE".to_owned());
    assert_eq!(scripts.iter().flatten().find(walked), None);
    assert!(scripts.iter().all(|script| script.len() < 100), "{scripts:?}");
}
