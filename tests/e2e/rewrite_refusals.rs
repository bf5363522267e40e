//! What `scripts/rewrite` leaves as it was, and says so; and what remains of a run that did not come to its end.

use crate::rewrite::{delete, rewrite};
use confab_kit::{Confab, Endpoint, Redis, log_key, numbers, script};
use serde_json::json;

#[tokio::test]
async fn what_takes_too_long_is_named_and_left() {
    let redis = Redis::start();
    for (chat, count) in [("a:b", 3000), ("a:c", 3)] {
        let mut fill = redis::pipe();
        for index in 0..count {
            fill.cmd("XADD")
                .arg(log_key(chat))
                .arg(format!("7-{index}"))
                .arg(7 + index)
                .arg("a:hi")
                .ignore();
        }
        let () = fill.query_async(&mut redis.connect().await).await.unwrap();
        redis.command::<()>(["XDEL", &log_key(chat), "7-1"]).await;
    }
    let before: Vec<u8> = redis.command(["DUMP", &log_key("a:b")]).await;
    let ran = rewrite(&redis, &["--most-ms", "1"]).await;
    ran.fails(&[
        "2 logs: 1 are written anew, 2 messages",
        "confab:{a:b}:log stays as it was: 2,999 messages would take",
        "Run this with --most-ms ",
    ]);
    assert_eq!(redis.command::<Vec<u8>>(["DUMP", &log_key("a:b")]).await, before);
    let wanted = ran
        .said
        .split("--most-ms ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    let said = rewrite(&redis, &["--most-ms", &wanted]).await.ok();
    assert!(said.contains("1 are written anew, 2,999 messages"), "{said}");
}

#[tokio::test]
async fn an_expiry_is_kept_and_consumer_groups_are_not_dropped() {
    let redis = Redis::start();
    for chat in ["a:b", "a:c", "a:d"] {
        for id in ["7-0", "7-1"] {
            redis.command::<()>(["XADD", &log_key(chat), id, "7", "a:hi"]).await;
        }
        redis.command::<()>(["XDEL", &log_key(chat), "7-0"]).await;
    }
    redis.command::<()>(["PEXPIRE", &log_key("a:b"), "5000000"]).await;
    redis
        .command::<()>(["XGROUP", "CREATE", &log_key("a:c"), "mine", "0"])
        .await;
    redis.command::<()>(["XDEL", &log_key("a:d"), "7-1"]).await;
    redis.command::<()>(["SET", &log_key("a:e"), "not a log"]).await;
    rewrite(&redis, &[]).await.fails(&[
        "XGROUP DESTROY",
        "confab:{a:c}:log stays",
        "confab:{a:e}:log stays as it was: WRONGTYPE",
        "delete the key",
    ]);
    let left: i64 = redis.command(["PTTL", &log_key("a:b")]).await;
    assert!((4_000_000..=5_000_000).contains(&left), "{left}");
    assert_eq!(
        redis
            .command::<Vec<redis::Value>>(["XINFO", "GROUPS", &log_key("a:c")])
            .await
            .len(),
        1
    );
    // One that is empty has no bytes, and keeps its numbering.
    let id: String = redis.command(["XADD", &log_key("a:d"), "7-*", "8", "a:hi"]).await;
    assert_eq!(id, "7-2");
}

#[tokio::test]
async fn a_run_that_is_refused_in_its_middle_or_killed_leaves_the_log_and_no_copy() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..200)).await;
    delete(&redis, &confab, "a:b", 3).await;
    let before = confab.walk(json!({ "chat": "a:b" })).await;
    let rights = "~confab:* +eval +evalsha +scan +info +xrange +xinfo|stream +xadd +xsetid +rename +unlink +memory|usage +pttl +pexpire";
    let rights: Vec<_> = rights.split(' ').collect();
    let run = async |user: &str| {
        let url = format!("redis://{user}:password@{}", redis.host());
        script("rewrite", &["--redis", &url], &[]).await
    };
    for without in ["+xadd", "+xsetid", "+rename", "+xrange", "+memory|usage", "+pttl"] {
        let fewer: Vec<_> = rights.iter().copied().filter(|right| *right != without).collect();
        redis.user(&without[1..5], &fewer).await;
        run(&without[1..5]).await.fails(&["Give the user the commands EVAL"]);
        assert_eq!(confab.walk(json!({ "chat": "a:b" })).await, before);
        assert_eq!(redis.keys("*rewriting").await, [""; 0], "{without}");
    }
    // As a torn append-only file may leave one.
    redis
        .command::<()>(["XADD", "confab:{a:b}:rewriting", "9-0", "9", "a:left over"])
        .await;
    redis
        .command::<()>(["XADD", "confab:{x:y}:rewriting", "9-0", "9", "a:left over"])
        .await;
    redis.user("able", &rights).await;
    // Also if memory is full: less is used afterwards.
    redis.command::<()>(["CONFIG", "SET", "maxmemory", "1"]).await;
    run("able").await.ok();
    assert_eq!(redis.keys("*rewriting").await, [""; 0]);
    assert_eq!(confab.walk(json!({ "chat": "a:b" })).await, before);
}

#[tokio::test]
async fn a_torn_append_only_file_has_the_log_as_it_was() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..20)).await;
    delete(&redis, &confab, "a:b", 3).await;
    let before = confab.walk(json!({ "chat": "a:b" })).await;
    rewrite(&redis, &[]).await.ok();
    redis.kill();
    // All of the script but its end, and nearly none of it.
    let whole = redis.since("MULTI");
    redis.tear(4);
    redis.restart();
    assert_eq!(confab.walk(json!({ "chat": "a:b" })).await, before);
    redis.kill();
    redis.tear(whole - 100);
    redis.restart();
    assert_eq!(confab.walk(json!({ "chat": "a:b" })).await, before);
    redis.rewrite().await;
    rewrite(&redis, &[]).await.ok();
    redis.kill();
    redis.restart();
    assert_eq!(confab.walk(json!({ "chat": "a:b" })).await, before);
    assert_eq!(redis.keys("*rewriting").await, [""; 0]);
}

#[tokio::test]
async fn arguments_that_cannot_be_used_say_how_to_write_them() {
    for most in ["", "0", "-1", "1.5", "100000", "50ms", "٣"] {
        let ran = script("rewrite", &[&format!("--most-ms={most}")], &[]).await;
        ran.fails(&["usage: ", "not a time", "from 1 to 99999"]);
    }
    for (words, text) in [
        (&["--most-ms"][..], "expected one argument"),
        (&["all"], "unrecognized arguments: all"),
        (&["--redis", "localhost"], "redis://HOST:PORT"),
    ] {
        script("rewrite", words, &[]).await.fails(&["usage: ", text]);
    }
    let nobody = script("rewrite", &["--redis", "redis://127.0.0.1:1"], &[]).await;
    nobody.fails(&["there is no Redis at 127.0.0.1:1", "Name a running one"]);
}
