//! An export while chats change: it has what there was when it began, or says that it is not whole.

use crate::export::{EPOCH, asking, begin, chats, fill, lines, messages, service};
use confab_kit::{Confab, Fault, Proxy, Redis, Traffic, log_key, to_its_end, until};
use futures::future::join;
use reqwest::Response;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Fills a chat of `x` that comes first, and is longer than what the host and the system take ahead of a client.
pub(crate) async fn fill_first(redis: &Redis) {
    let text = "\u{1}".repeat(64 * 1024);
    fill(redis, "0:x", vec![&*text; 100]).await;
}

/// Begins to export the chats of `x`, and reads no more than the first line: the first chat holds the export up.
async fn hold(confab: &Confab) -> (Response, Vec<u8>) {
    let mut answer = begin(confab, &service(), "name=x").await;
    assert_eq!(answer.status(), 200);
    let first = answer.chunk().await.unwrap().unwrap().to_vec();
    assert!(first.starts_with(b"{\"name\":\"x\"}\n"));
    (answer, first)
}

/// The lines of an answer, and whether it ended as an answer should.
async fn rest(mut answer: Response, mut body: Vec<u8>) -> (Vec<Value>, bool) {
    let reading = async {
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                end => return end.is_ok(),
            }
        }
    };
    let is_ended = to_its_end(reading).await;
    (lines(&body), is_ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_it_runs_is_not_in_it_and_what_goes_is_counted() {
    let redis = Redis::start();
    fill_first(&redis).await;
    for chat in ["grows:x", "lost:x", "new:x", "shorter:x", "tail:x", "trimmed:x"] {
        fill(&redis, chat, ["0", "1", "2", "3", "4"]).await;
    }
    // Removed by hand, long before.
    redis
        .command::<()>(["XTRIM", &log_key("trimmed:x"), "MAXLEN", "4"])
        .await;
    let confab = asking(Confab::on(&redis)).start();
    let open = Confab::start(&redis);
    let (answer, first) = hold(&confab).await;
    open.send_all("grows:x", "x", ["5", "6"]).await;
    open.send("other:x", "x", "0").await.ok();
    redis.delete(&log_key("lost:x")).await;
    redis.delete(&log_key("new:x")).await;
    open.send_all("new:x", "x", vec!["new"; 9]).await;
    for index in [1, 3] {
        let id = format!("{EPOCH}-{index}");
        redis.command::<()>(["XDEL", &log_key("shorter:x"), &id]).await;
    }
    // As a failover does: the newest are lost, and others have their places.
    redis.delete(&log_key("tail:x")).await;
    fill(&redis, "tail:x", ["0", "1"]).await;
    redis
        .command::<()>(["XTRIM", &log_key("trimmed:x"), "MAXLEN", "1"])
        .await;
    let (lines, is_ended) = rest(answer, first).await;
    let expected = ["0:x", "grows:x", "lost:x", "new:x", "shorter:x", "tail:x", "trimmed:x"];
    assert_eq!(chats(&lines), expected);
    let texts = |chat: &str| {
        let messages = messages(&lines, chat);
        let texts = messages.iter().map(|message| message["text"].as_str().unwrap());
        texts.collect::<String>()
    };
    for (chat, expected) in [
        ("grows:x", "01234"),
        ("lost:x", ""),
        ("new:x", ""),
        ("shorter:x", "024"),
        ("tail:x", "01"),
        ("trimmed:x", "4"),
    ] {
        assert_eq!(texts(chat), expected, "{chat}");
    }
    let removed = 5 + 5 + 2 + 3 + 3;
    let end = json!({ "end": true, "chats": 7, "messages": 100 + 5 + 3 + 2 + 1, "removed": removed });
    assert_eq!((lines.last(), is_ended), (Some(&end), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_others_took_over_in_the_middle_gives_no_message_of_theirs() {
    let redis = Redis::start();
    fill_first(&redis).await;
    let confab = asking(Confab::on(&redis)).start();
    let (answer, first) = hold(&confab).await;
    // Begun anew in the middle, and of the same indexes.
    redis.delete(&log_key("0:x")).await;
    let open = Confab::start(&redis);
    open.send_all("0:x", "x", vec!["other"; 120]).await;
    let (lines, is_ended) = rest(answer, first).await;
    let messages = messages(&lines, "0:x");
    assert!(messages.len() < 100 && messages.iter().all(|message| message["text"] != "other"));
    let end = lines.last().unwrap();
    assert_eq!(
        (&end["messages"], &end["removed"]),
        (&json!(messages.len()), &json!(100 - messages.len()))
    );
    assert!(is_ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_misses_no_chat_that_moves_and_ends_while_others_send() {
    const CHATS: usize = 1500;
    let redis = Redis::start();
    let mut all = Vec::new();
    for number in 0..CHATS {
        let chat = format!("{:04}:x", 1000 + number);
        fill(&redis, &chat, ["0", "1"]).await;
        all.push(chat);
    }
    // Each script takes so long that many messages come between two of them.
    let slow = Proxy::start(&redis, Traffic::Always(Fault::Delay(Duration::from_millis(10))));
    let confab = asking(Confab::on(&slow)).start();
    let open = Confab::start(&redis);
    let is_read = AtomicBool::new(false);
    let exporting = async {
        let answer = begin(&confab, &service(), "name=x").await;
        assert_eq!(answer.status(), 200);
        // Only what is fixed before the first line is of interest here.
        slow.set(Traffic::Forward);
        let read = rest(answer, Vec::new()).await;
        is_read.store(true, Ordering::Relaxed);
        read
    };
    let sending = async {
        let mut sent = 0;
        // The oldest first: they move from one end of the inbox to the other.
        while !is_read.load(Ordering::Relaxed) {
            open.send(&all[sent % CHATS], "x", "more").await.ok();
            sent += 1;
        }
        sent
    };
    let ((lines, is_ended), sent) = join(exporting, sending).await;
    println!("{CHATS} chats exported while {sent} messages were sent in them, the oldest first");
    assert_eq!(chats(&lines), all);
    for chat in &all {
        let messages = messages(&lines, chat);
        let indexes: Vec<_> = messages
            .iter()
            .map(|message| message["index"].as_u64().unwrap())
            .collect();
        assert!(
            indexes.len() >= 2 && indexes.iter().copied().eq((0..).take(indexes.len())),
            "{chat}: {indexes:?}"
        );
    }
    assert_eq!(lines.last().unwrap()["removed"], 0);
    assert!(is_ended && sent > 20, "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_redis_fails_ends_with_the_problem_and_is_broken_off() {
    let mut redis = Redis::start();
    fill_first(&redis).await;
    let confab = asking(Confab::on(&redis)).variable("redis_timeout_ms", 300).start();
    let (answer, first) = hold(&confab).await;
    redis.kill();
    let (lines, is_ended) = rest(answer, first).await;
    assert!(!is_ended, "the answer looks whole to HTTP");
    assert!(lines.iter().all(|line| line["end"].is_null()));
    assert_eq!(lines.last().unwrap()["problem"]["type"], "/problems/unavailable");
    confab.logged("route=/api/export ").await;
    // Before it begins, it is an error like any.
    let answer = begin(&confab, &service(), "name=x").await;
    assert_eq!(answer.status(), 503);
    redis.restart();
    until("Redis is back", async || {
        begin(&confab, &service(), "name=x").await.status() == 200
    })
    .await;
}

#[tokio::test]
async fn an_export_with_a_chat_that_cannot_be_read_is_no_export() {
    let redis = Redis::start();
    fill(&redis, "a:x", ["0"]).await;
    fill(&redis, "b:x", ["0"]).await;
    let confab = asking(Confab::on(&redis)).start();
    redis
        .command::<()>(["XADD", &log_key("b:x"), &format!("{EPOCH}-1"), "x", "no message"])
        .await;
    assert_eq!(begin(&confab, &service(), "name=x").await.status(), 500);
    // In the middle, it is found only once the answer has begun.
    redis
        .command::<()>([
            "XADD",
            &log_key("b:x"),
            &format!("{EPOCH}-2"),
            "1700000000000009",
            "b:2",
        ])
        .await;
    let (lines, is_ended) = rest(begin(&confab, &service(), "name=x").await, Vec::new()).await;
    assert_eq!(
        lines.last().unwrap()["problem"]["type"],
        "/problems/internal",
        "{lines:?} {}",
        confab.log()
    );
    assert!(!is_ended);
    let (lines, is_ended) = rest(begin(&confab, &service(), "name=x&chat=a:x").await, Vec::new()).await;
    assert_eq!((messages(&lines, "a:x").len(), is_ended), (1, true));
}
