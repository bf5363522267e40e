//! Redis is killed (SIGKILL) at work, the end of its append-only file is torn off, and inboxes and marks agree with the chat logs.

use confab_kit::{Confab, Redis, seed, until};
use serde_json::json;
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
/// there were, and which of them failed.
async fn compare(redis: &Redis) -> (usize, Vec<String>) {
    let (mut compared, mut wrong) = (0, Vec::new());
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
        for member in chat.split(':') {
            in_logs.insert((member.to_owned(), chat.to_owned(), fields[0].clone()));
        }
        let mark: Option<String> = redis
            .command(["HGET", &format!("confab:{{{chat}}}:marks"), sender])
            .await;
        compared += 1;
        if mark != Some(format!("{id}-{}", fields[0])) {
            wrong.push(format!("{chat}: {sender} has the mark {mark:?}, and sent {id}"));
        }
    }
    compared += in_logs.len();
    wrong.extend(
        in_logs
            .symmetric_difference(&in_inboxes)
            .map(|place| format!("{place:?}")),
    );
    (compared, wrong)
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
    let (mut compared, mut torn) = (0, 0);
    for _ in 0..CRASHES {
        let enough = sent.load(Ordering::Relaxed) + random.usize(100..300);
        let more = async || sent.load(Ordering::Relaxed) >= enough;
        until("people have sent some messages more", more).await;
        redis.kill();
        torn += redis.tear(random.u64(1..3000));
        redis.restart();
        // One step, in which nobody sends.
        redis.command::<()>(["CLIENT", "PAUSE", "20000", "WRITE"]).await;
        let (some, wrong) = compare(&redis).await;
        redis.command::<()>(["CLIENT", "UNPAUSE"]).await;
        assert_eq!(wrong, Vec::<String>::new());
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
