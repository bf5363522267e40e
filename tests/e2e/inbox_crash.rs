//! Redis is killed (SIGKILL) at work, the end of its append-only file is torn off, and inboxes and marks agree with the chat logs.

use confab_kit::{Confab, Redis, seed, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinSet;

const CRASHES: usize = 5;
const PEOPLE: usize = 8;

fn name(person: usize) -> String {
    format!("p{person}")
}

/// Compares every log with the inboxes of its members and the mark of whoever sent its newest message. Returns how many comparisons
/// there were, in how many chats something is left of a send that was torn off, and which comparisons failed otherwise.
async fn compare(redis: &Redis) -> (usize, usize, Vec<String>) {
    let (mut compared, mut torn, mut wrong) = (0, 0, Vec::new());
    let mut in_inboxes = BTreeSet::new();
    for person in 0..PEOPLE {
        let inbox = format!("confab:{{{}}}:inbox", name(person));
        let chats: Vec<(String, String)> = redis.command(["ZRANGE", &inbox, "0", "-1", "WITHSCORES"]).await;
        in_inboxes.extend(chats.into_iter().map(|(chat, time)| (name(person), chat, time)));
    }
    let mut in_logs = BTreeSet::new();
    for key in redis.keys("*:log").await {
        let chat = key.strip_prefix("confab:{").unwrap().strip_suffix("}:log").unwrap();
        let newest: Vec<(String, Vec<String>)> = redis.command(["XREVRANGE", &key, "+", "-", "COUNT", "1"]).await;
        let (id, fields) = &newest[0];
        let (sender, _) = fields[1].split_once(':').unwrap();
        let members: Vec<_> = chat.split(':').map(str::to_owned).collect();
        compared += 1 + members.len();
        let is_later = |(_, placed, time): &(_, String, String)| placed == chat && *time > fields[0];
        if in_inboxes.iter().any(is_later) {
            torn += 1;
            in_inboxes.retain(|(_, placed, _)| placed != chat);
            continue;
        }
        for member in members {
            in_logs.insert((member, chat.to_owned(), fields[0].clone()));
        }
        let mark: Option<String> = redis
            .command(["HGET", &format!("confab:{{{chat}}}:marks"), sender])
            .await;
        if mark != Some(format!("{id}-{}", fields[0])) {
            wrong.push(format!("{chat}: {sender} has the mark {mark:?}, and sent {id}"));
        }
    }
    wrong.extend(
        in_logs
            .symmetric_difference(&in_inboxes)
            .map(|place| format!("{place:?}")),
    );
    (compared, torn, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn inboxes_and_marks_agree_with_the_logs_after_crashes_that_tear_the_append_only_file() {
    let mut random = fastrand::Rng::with_seed(seed());
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let confab = Arc::new(Confab::on(&redis).variable("redis_timeout_ms", 1000).start());
    let sent = Arc::new(AtomicUsize::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let mut people = JoinSet::new();
    for person in 0..PEOPLE {
        let (confab, sent, over) = (Arc::clone(&confab), Arc::clone(&sent), Arc::clone(&over));
        let mut random = fastrand::Rng::with_seed(random.u64(..));
        people.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let chat = format!("{}:{}", name(person), name(random.usize(..PEOPLE)));
                let answer = confab
                    .send(&chat, &name(person), &"x".repeat(random.usize(1..300)))
                    .await;
                sent.fetch_add(usize::from(answer.status == 200), Ordering::Relaxed);
                // Up to the first message: no mark but a sender's is at the end.
                confab
                    .read(json!({ "chat": chat, "name": name(person), "index": 0 }))
                    .await;
            }
        });
    }
    let (mut compared, mut torn, mut crashes) = (0, 0, 0);
    for _ in 0..CRASHES {
        let enough = sent.load(Ordering::Relaxed) + random.usize(100..300);
        let more = async || sent.load(Ordering::Relaxed) >= enough;
        until("people have sent some messages more", more).await;
        redis.kill();
        torn += redis.tear(random.u64(1..3000));
        redis.restart();
        // One step, in which nobody sends.
        redis.command::<()>(["CLIENT", "PAUSE", "20000", "WRITE"]).await;
        crashes += 1;
        let (some, left, wrong) = compare(&redis).await;
        redis.command::<()>(["CLIENT", "UNPAUSE"]).await;
        assert_eq!(wrong, Vec::<String>::new());
        assert!(
            left < crashes,
            "{left} chats have something of a torn send after {crashes} crashes"
        );
        compared += some;
    }
    over.store(true, Ordering::Relaxed);
    people.join_all().await;
    println!(
        "inbox crash: {CRASHES} crashes, {torn} bytes torn off, {} sends: {compared} comparisons, 0 disagree",
        sent.load(Ordering::Relaxed)
    );
    assert!(compared > 100);
}

/// Redis drops a transaction whose end was torn off, but at its next start it takes what is left of it for the beginning of the next one.
#[tokio::test]
async fn what_is_left_of_a_torn_send_is_no_message_and_hides_none() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["one"]).await;
    confab.send_all("b:c", "c", ["later"]).await;
    confab.send_all("a:b", "a", ["torn off"]).await;
    redis.kill();
    redis.tear(redis.since("XADD"));
    redis.restart();
    confab.send_all("c:d", "c", ["whole"]).await;
    redis.kill();
    redis.restart();
    let mark: String = redis.command(["HGET", "confab:{a:b}:marks", "a"]).await;
    // Valkey leaves nothing.
    let valkey = redis.info("server").await.get("server_name") == Some("valkey");
    assert!(
        valkey || mark.contains("-1-"),
        "nothing is left of the torn send: {mark}"
    );
    let [of_a, of_b] = [confab.inbox("a").await, confab.inbox("b").await];
    let chats = |inbox: &[Value]| inbox.iter().map(|entry| entry["chat"].clone()).collect::<Vec<_>>();
    assert_eq!((chats(&of_a), of_b.len()), (vec![json!("a:b")], 2));
    let texts = async || {
        let page = confab.pull(json!({ "chat": "a:b" })).await.ok();
        let messages = page["messages"].as_array().unwrap();
        messages
            .iter()
            .map(|message| message["text"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts().await, ["one"]);
    confab.send_all("a:b", "b", ["two"]).await;
    assert_eq!(texts().await, ["one", "two"]);
    for (name, unread) in [("a", 1), ("b", 0)] {
        let entry = confab.inbox_chat(name, "a:b").await;
        assert_eq!(
            (&entry["unread"], &entry["last"]["text"]),
            (&json!(unread), &json!("two")),
            "{name}"
        );
    }
}
