//! `scripts/retain`: messages above a certain age go, and nothing else does.

use confab_kit::{Confab, Endpoint, Follower, Ran, Redis, log_key, numbers, script, texts};
use serde_json::json;
use std::collections::BTreeMap;

const DAY: i64 = 24 * 3600;
pub(crate) const EPOCH: u64 = 1_700_000_000_000_000;

pub(crate) async fn retain(redis: &Redis, words: &[&str]) -> Ran {
    let url = format!("redis://{}", redis.host());
    script("retain", &[&["--redis", &url], words].concat(), &[]).await
}

/// Removes what is older than 30 days.
pub(crate) async fn run(redis: &Redis) -> String {
    retain(redis, &["--older-than", "30d", "--run"]).await.ok()
}

/// Everything in Redis, byte by byte.
async fn all(redis: &Redis) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for key in redis.keys("*").await {
        let dump = redis.command(["DUMP", &key]).await;
        all.insert(key, dump);
    }
    all
}

pub(crate) async fn settings(redis: &Redis, chat: &str) -> BTreeMap<String, String> {
    redis.command(["HGETALL", &format!("confab:{{{chat}}}:settings")]).await
}

/// Entries by hand, with these indexes and times.
pub(crate) async fn fill(redis: &Redis, chat: &str, entries: impl IntoIterator<Item = (u64, u64)>) {
    let mut fill = redis::pipe();
    for (index, time) in entries {
        fill.cmd("XADD").arg(log_key(chat)).arg(format!("{EPOCH}-{index}"));
        fill.arg(time).arg(format!("b:{index}")).ignore();
    }
    let () = fill.query_async(&mut redis.connect().await).await.unwrap();
}

/// The entries of a chat log, by index, and their times.
pub(crate) async fn stored(redis: &Redis, chat: &str) -> Vec<(u64, u64)> {
    let entries: Vec<(String, Vec<String>)> = redis.command(["XRANGE", &log_key(chat), "-", "+"]).await;
    let number = |text: &str| text.parse::<u64>().unwrap();
    let entry = |(id, fields): &(String, Vec<String>)| (number(id.split_once('-').unwrap().1), number(&fields[0]));
    entries.iter().map(entry).collect()
}

#[tokio::test]
async fn a_dry_run_says_what_goes_and_a_run_removes_that_alone() {
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::start(&redis);
    clock.set(-40 * DAY);
    confab.send_all("a:b", "a", ["old 0", "old 1", "old 2"]).await;
    confab.send_all("c:a", "c", ["old"]).await;
    let epochs = [confab.epoch("a:b").await, confab.epoch("a:c").await];
    let position = confab.pull(json!({ "chat": "a:b", "limit": 2 })).await.ok()["position"].clone();
    clock.set(-29 * DAY);
    confab.send_all("a:b", "b", ["new 3", "new 4"]).await;
    confab.send_all("a:d", "d", ["new"]).await;
    clock.set(0);
    // What belongs to no chat stays, whatever it looks like.
    for key in ["confab:{:events}:log", "confab:{a}:log", "other:{a:b}:log"] {
        redis.command::<()>(["XADD", key, "5-0", "5", "a:hi"]).await;
    }
    let before = all(&redis).await;
    let said = retain(&redis, &["--older-than", "30d"]).await.ok();
    assert!(
        said.contains("3 chats: 2 have messages")
            && said.contains("4 at most, and 1 have no others")
            && said.contains("--run"),
        "{said}"
    );
    assert_eq!(all(&redis).await, before);

    let said = run(&redis).await;
    assert!(
        said.contains("4 messages from before") && said.contains("and 1 chats"),
        "{said}"
    );
    let page = confab.pull(json!({ "chat": "a:b" })).await.ok();
    assert_eq!(
        (texts(&page), &page["first_index"]),
        (vec!["new 3".into(), "new 4".into()], &json!(3))
    );
    assert_eq!(page["epoch"], epochs[0]);
    assert_eq!(redis.keys("confab:{a:c}:*").await, ["confab:{a:c}:settings"]);
    let epoch = BTreeMap::from([("epoch".to_owned(), epochs[1].to_string())]);
    assert_eq!(settings(&redis, "a:c").await, epoch);
    assert!(settings(&redis, "a:b").await.is_empty());
    // A client that was away goes on after a gap, and so does one that follows.
    let page = confab.pull(json!({ "chat": "a:b", "after": position })).await.ok();
    assert_eq!(
        (texts(&page), &page["first_index"]),
        (vec!["new 3".into(), "new 4".into()], &json!(3))
    );
    let mut follower = Follower::start(&confab, "chat=a:b", position.as_str());
    let gap = follower.next().await;
    assert_eq!(
        (&*gap.name, &gap.data),
        ("gap", &json!({ "from": 2, "first_index": 3 }))
    );
    assert_eq!(follower.indexes(2).await, [3, 4]);

    let left = all(&redis).await;
    assert_eq!(
        before
            .keys()
            .filter(|key| !left.contains_key(*key) && !key.contains(":sent:"))
            .collect::<Vec<_>>(),
        ["confab:{a:c}:log", "confab:{a:c}:marks"]
    );
    let said = run(&redis).await;
    assert!(said.contains("2 chats: 0 messages"), "{said}");
    assert_eq!(all(&redis).await, left);
    // The inbox loses the chat with the page that meets it.
    let chats = confab.inbox("a").await;
    let listed: Vec<_> = chats.iter().map(|chat| chat["chat"].clone()).collect();
    assert_eq!(listed, [json!("a:d"), json!("a:b")]);
    // Its next log is a later one, whatever the clock does.
    clock.set(-50 * DAY);
    confab.send_all("a:c", "a", ["again"]).await;
    assert!(confab.epoch("a:c").await > epochs[1]);
}

#[tokio::test]
async fn marks_and_followers_hold_and_an_inbox_hears_that_a_chat_is_gone() {
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::on(&redis).variable("stream_heartbeat_s", 1).start();
    clock.set(-40 * DAY);
    confab.send_all("a:b", "b", numbers(0..4)).await;
    confab.send_all("a:c", "c", ["old"]).await;
    confab
        .read(json!({ "chat": "a:b", "name": "a", "index": 1 }))
        .await
        .ok();
    clock.set(0);
    confab.send_all("a:b", "b", ["4", "5"]).await;
    assert_eq!(confab.inbox_chat("a", "a:b").await["unread"], 4);
    let mut inbox = Follower::of_inbox(&confab, "name=a", None);
    assert_eq!(inbox.next().await.name, "inbox");
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(6).await, [0, 1, 2, 3, 4, 5]);
    let mut of_gone = Follower::start(&confab, "chat=a:c&cursor=0", None);
    assert_eq!(of_gone.indexes(1).await, [0]);
    run(&redis).await;
    let gone = inbox.next().await;
    assert_eq!((&*gone.name, &gone.data["chat"]), ("gone", &json!("a:c")));
    let chat = confab.inbox_chat("a", "a:b").await;
    // What is read of the rest stays read: two are left, and both are new.
    assert_eq!((&chat["unread"], &chat["last"]["text"]), (&json!(2), &json!("5")));
    let reset = of_gone.next().await;
    assert_eq!((&*reset.name, &reset.data["index"]), ("reset", &json!(0)));
    confab.send_all("a:b", "a", ["6"]).await;
    confab.send_all("a:c", "a", ["new"]).await;
    assert_eq!(follower.next().await.index(), 6);
    let new = of_gone.next().await;
    assert_eq!((new.index(), &new.data["text"]), (0, &json!("new")));
    assert_eq!(confab.inbox_chat("b", "a:b").await["unread"], 1);
}

#[tokio::test]
async fn clocks_that_are_wrong_remove_nothing() {
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::start(&redis);
    // A clock that was ahead once: what was sent then has a time to come, and stays until that is over.
    clock.set(40 * DAY);
    confab.send_all("a:b", "a", ["ahead"]).await;
    clock.set(0);
    confab.send_all("a:b", "a", ["after it"]).await;
    confab.send_all("a:c", "a", ["now"]).await;
    run(&redis).await;
    for seconds in [40 * DAY, 90, -90] {
        clock.set(seconds);
        let before = all(&redis).await;
        let ran = retain(&redis, &["--older-than", "1h", "--run"]).await;
        ran.fails(&["the clock of Redis is", "one of them is wrong", "set it"]);
        assert_eq!(all(&redis).await, before);
    }
    clock.set(0);
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["ahead", "after it"]);
    assert_eq!(confab.texts(json!({ "chat": "a:c" })).await, ["now"]);
}

#[tokio::test]
async fn the_epoch_that_is_kept_never_goes_back_and_settings_stay() {
    let redis = Redis::start();
    let old = redis.time().await - 31 * 24 * 3_600_000_000;
    let later = (EPOCH + 7).to_string();
    for (chat, kept, expected) in [
        ("a:b", None, EPOCH.to_string()),
        ("a:c", Some("1699999999999999"), EPOCH.to_string()),
        ("a:d", Some(&*later), later.clone()),
    ] {
        fill(&redis, chat, [(0, old), (1, old + 1)]).await;
        let key = format!("confab:{{{chat}}}:settings");
        redis
            .command::<()>(["HSET", &key, "blocked:a", "1", "muted:b", "0"])
            .await;
        if let Some(kept) = kept {
            redis.command::<()>(["HSET", &key, "epoch", kept]).await;
        }
        redis
            .command::<()>(["SETBIT", &format!("confab:{{{chat}}}:holes"), "64", "1"])
            .await;
        redis
            .command::<()>(["HSET", &format!("confab:{{{chat}}}:marks"), "a", "0"])
            .await;
        run(&redis).await;
        assert_eq!(redis.keys(&format!("confab:{{{chat}}}:*")).await, [key]);
        let expected = [("blocked:a", "1"), ("epoch", &expected), ("muted:b", "0")];
        let expected: BTreeMap<_, _> = expected
            .map(|(field, value)| (field.to_owned(), value.to_owned()))
            .into();
        assert_eq!(settings(&redis, chat).await, expected);
    }
}

#[tokio::test]
async fn a_redis_whose_memory_is_full_is_relieved() {
    let redis = Redis::start();
    let old = redis.time().await - 31 * 24 * 3_600_000_000;
    fill(&redis, "a:b", (0..500).map(|index| (index, old + index))).await;
    fill(&redis, "a:c", [(0, old)]).await;
    fill(&redis, "a:d", [(0, old), (1, old + 3 * 24 * 3_600_000_000)]).await;
    redis.command::<()>(["CONFIG", "SET", "maxmemory", "1"]).await;
    assert!(redis.try_command::<()>(["SET", "x", "y"]).await.is_err());
    run(&redis).await;
    assert_eq!(redis.keys("*:log").await, ["confab:{a:d}:log"]);
    assert_eq!(settings(&redis, "a:c").await["epoch"], EPOCH.to_string());
    assert_eq!(stored(&redis, "a:d").await.len(), 1);
}
