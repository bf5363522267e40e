//! A person's chats, newest first, each with its last message and what is unread.

use confab_kit::{Confab, Redis, numbers};
use futures::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

/// The names of the chats, in the order of the page.
fn names(chats: &[Value]) -> Vec<&str> {
    chats.iter().map(|chat| chat["chat"].as_str().unwrap()).collect()
}

/// Sends a message from each of the others.
async fn send_from_each(confab: &Confab, name: &str, others: &[String]) {
    for some in others.chunks(50) {
        let sends = some.iter().map(|other| async move {
            confab.send(&format!("{name}:{other}"), other, "hi").await.ok();
        });
        join_all(sends).await;
    }
}

#[tokio::test]
async fn an_inbox_has_every_chat_newest_first_with_its_last_message_and_what_is_unread() {
    let confab = Confab::anywhere().persons_send().start();
    assert_eq!(confab.inbox_by("name=alice").await.ok(), json!({ "chats": [] }));
    confab.send_all("alice:bob", "Bob", ["1", "2"]).await;
    confab.send_all("Carol:alice", "alice", ["hi"]).await;
    confab.send_all("É:alice", "é", ["salut"]).await;
    let sent = confab.send("bob:alice", "BOB", "3").await.ok();

    let chats = confab.inbox("ALICE").await;
    assert_eq!(
        names(&chats),
        ["alice:bob", "alice:é", "alice:carol"].map(|chat| confab.chat(chat))
    );
    let epoch = confab.epoch("alice:bob").await;
    assert_eq!(
        chats[0],
        json!({
            "chat": confab.chat("alice:bob"), "with": confab.name("bob"), "epoch": epoch, "unread": 3, "read": 0, "read_position": "0",
            "last": { "text": "3", "sender": confab.name("BOB"), "member": confab.name("bob"), "send_time": sent["send_time"], "index": 2 },
            "read_by_other": 3, "read_by_other_position": format!("{epoch}-2-{}", sent["send_time"]),
        })
    );
    // What one has sent oneself is read.
    assert_eq!((&chats[2]["unread"], &chats[2]["read"]), (&json!(0), &json!(1)));
    let bobs = confab.inbox_chat("bob", "alice:bob").await;
    assert_eq!(
        (&bobs["with"], &bobs["unread"], &bobs["read_by_other"]),
        (&json!(confab.name("alice")), &json!(0), &json!(0))
    );
    // An answer is a mark of the one who answers, and only a message moves a chat.
    confab.send_all("alice:carol", "carol", ["back"]).await;
    confab.read_all("alice:bob", "alice").await;
    let chats = confab.inbox("alice").await;
    assert_eq!(
        names(&chats),
        ["alice:carol", "alice:bob", "alice:é"].map(|chat| confab.chat(chat))
    );
    assert_eq!((&chats[0]["unread"], &chats[1]["unread"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn a_long_last_message_is_cut_at_a_character() {
    let confab = Confab::anywhere().start();
    for (text, shown, cut) in [
        ("x".repeat(256), "x".repeat(256), Value::Null),
        ("x".repeat(257), "x".repeat(256), json!(true)),
        ("é".repeat(129), "é".repeat(128), json!(true)),
        (
            format!("x{}", "é".repeat(128)),
            format!("x{}", "é".repeat(127)),
            json!(true),
        ),
        ("😀".repeat(70), "😀".repeat(64), json!(true)),
        (
            format!("xyz{}", "😀".repeat(70)),
            format!("xyz{}", "😀".repeat(63)),
            json!(true),
        ),
        ("a:b\n:\0c".into(), "a:b\n:\0c".into(), Value::Null),
    ] {
        confab.send_all("a:b", "a", [&text]).await;
        let last = confab.inbox_chat("b", "a:b").await["last"].clone();
        assert_eq!((&last["text"], &last["cut"]), (&json!(shown), &cut));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_chats_are_walked_once_each_while_messages_come() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let all = numbers(0..1000);
    send_from_each(&confab, "a", &all).await;
    let walk = confab.inbox_walk("a", 20);
    let meanwhile = async {
        for other in all.iter().rev().step_by(7) {
            confab.send_all(&format!("a:{other}"), other, ["more"]).await;
        }
    };
    let (walked, ()) = join(walk, meanwhile).await;
    // One that has moved to the top is told by the inbox's stream.
    let mut found = names(&walked);
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), walked.len(), "a chat came twice");
    let missing = all.iter().filter(|other| !found.contains(&&*chat_with(other)));
    let untouched = missing.filter(|other| (999 - other.parse::<u64>().unwrap()) % 7 != 0);
    assert_eq!(untouched.count(), 0);
    let walked = confab.inbox_walk("a", 100).await;
    assert_eq!(walked.len(), 1000);
    let times: Vec<_> = walked.iter().map(|chat| chat["last"]["send_time"].as_u64()).collect();
    assert!(times.is_sorted_by(|one, next| one >= next));
}

/// The chat of `a` with another, as it is stored.
fn chat_with(other: &str) -> String {
    if other < "a" {
        format!("{other}:a")
    } else {
        format!("a:{other}")
    }
}

#[tokio::test]
async fn chats_of_one_time_are_all_walked_in_pages_of_any_size() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let others = ["b", "B1", "é", "{", "}", "%", "z z", "a", "ü", "😀", "Ω", "0"];
    for other in others {
        confab.send_all(&format!("a:{other}"), other, ["hi"]).await;
    }
    let chats: Vec<String> = redis.command(["ZRANGE", "confab:{a}:inbox", "0", "-1"]).await;
    assert_eq!(chats.len(), others.len());
    for chat in &chats[1..] {
        redis
            .command::<()>(["ZADD", "confab:{a}:inbox", "1700000000000000", chat])
            .await;
    }
    let whole = confab.inbox_walk("a", 100).await;
    assert_eq!(whole.len(), others.len());
    for limit in 1..=others.len() {
        assert_eq!(confab.inbox_walk("a", limit).await, whole, "{limit}");
    }
}

#[tokio::test]
async fn a_page_is_two_round_trips_and_costs_the_same_with_twenty_chats_and_a_thousand() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let all = numbers(0..1000);
    send_from_each(&confab, "a", &all).await;
    send_from_each(&confab, "b", &all[..20]).await;
    confab.inbox_by("name=a").await.ok();
    confab.read_all("a:1", "a").await;
    let mut monitor = redis.monitor().await;
    for (name, more) in [("a", true), ("b", false), ("nobody", false)] {
        let page = confab.inbox_by(&format!("name={name}")).await.ok();
        assert_eq!(page.get("has_more").is_some(), more);
        let expected: &[&str] = if name == "nobody" {
            &["EVALSHA"]
        } else {
            &["EVALSHA", "EVALSHA"]
        };
        assert_eq!(monitor.commands().await, expected, "{name}");
    }
    confab.read_all("a:2", "a").await;
    assert_eq!(monitor.commands().await, ["EVALSHA"]);
    // The processor time of Redis, the least of some rounds, so that others on the machine do not count.
    let cost = async |name: &str| {
        let mut least = u64::MAX;
        for _ in 0..5 {
            let before = redis.processor_time().await;
            for _ in 0..40 {
                confab.inbox_by(&format!("name={name}")).await.ok();
            }
            least = least.min(redis.processor_time().await - before);
        }
        least
    };
    let (many, few) = (cost("a").await, cost("b").await);
    println!(
        "an inbox page of 20 costs Redis {} us with 1,000 chats and {} us with 20",
        many / 40,
        few / 40
    );
    assert!(many < 2 * few, "{many} {few}");
}

#[tokio::test]
async fn a_wrong_request_for_an_inbox_is_refused() {
    let confab = Confab::anywhere().start();
    for (query, field) in [
        ("", "name"),
        ("name=", "name"),
        ("name=a:b", "name"),
        ("name=a&limit=x", "limit"),
        ("name=a&before=x", "before"),
        ("name=a&before=17:a", "before"),
    ] {
        assert_eq!(confab.inbox_by(query).await.problem(), (400, json!(field)), "{query}");
    }
    assert_eq!(confab.inbox_by("name=a").await.header("cache-control"), "no-store");
    let answer = confab.request(Method::POST, "/api/inbox", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
}
