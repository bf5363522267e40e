//! A deletion that Redis refuses deletes nothing; one that is said again waits for replicas again; and long chats.

use crate::all_or_nothing::{builder_as, commands, rules};
use crate::delete::{delete, delete_all, service, start};
use confab_kit::token::SECRET;
use confab_kit::{Confab, Redis, TestResponse, log_key, numbers, until};
use reqwest::Method;
use serde_json::{Value, json};

const HOLES: &str = "confab:{a:b}:holes";

#[tokio::test]
async fn a_user_that_lacks_a_command_deletes_all_or_nothing() {
    let redis = Redis::start();
    let open = Confab::start(&redis);
    let mut needed = Vec::new();
    for missing in commands() {
        redis.empty().await;
        open.send_all("a:b", "b", numbers(0..3)).await;
        let page = open.pull(json!({ "chat": "a:b" })).await.ok();
        let mut allowed = commands();
        allowed.retain(|command| *command != missing);
        let confab = builder_as(&redis, &rules(&allowed)).await;
        let confab = confab
            .variable("auth", "required")
            .variable("auth_secret", SECRET)
            .start();
        let whole = json!({ "chat": "a:b", "epoch": page["epoch"] }).to_string();
        let request = confab.build(Method::POST, "/api/delete").bearer_auth(service());
        for (what, left) in [("message", vec!["0", "2"]), ("chat", vec![])] {
            let before = open.texts(json!({ "chat": "a:b" })).await;
            let unread = async || open.inbox("a").await.first().map(|entry| entry["unread"].clone());
            let unread_before = unread().await;
            let answer = if what == "message" {
                delete(&confab, &service(), "a:b", &page["messages"][1], &page["epoch"]).await
            } else {
                TestResponse::to(request.try_clone().unwrap().body(whole.clone())).await
            };
            if answer.status == 200 {
                assert_eq!(open.texts(json!({ "chat": "a:b" })).await, left);
                continue;
            }
            assert!(matches!(answer.status, 500 | 503), "{missing}: {}", answer.status);
            assert_eq!(
                open.texts(json!({ "chat": "a:b" })).await,
                before,
                "{what} without {missing}"
            );
            if what == "chat" {
                assert_eq!(unread().await, unread_before);
            }
            needed.push(missing.clone());
        }
    }
    for command in [
        "evalsha", "xadd", "xdel", "setbit", "getrange", "unlink", "hset", "zrem",
    ] {
        assert!(
            needed.iter().any(|needed| needed == command),
            "{needed:?} has no {command}"
        );
    }
}

#[tokio::test]
async fn a_key_of_the_wrong_type_is_a_500_and_deletes_nothing() {
    let redis = Redis::start();
    let (open, closed) = start(&redis);
    open.send_all("a:b", "a", ["0", "1"]).await;
    let page = open.pull(json!({ "chat": "a:b" })).await.ok();
    redis.command::<()>(["RPUSH", HOLES, "x"]).await;
    let answer = delete(&closed, &service(), "a:b", &page["messages"][0], &page["epoch"]).await;
    assert_eq!(answer.problem(), (500, Value::Null));
    redis.delete(HOLES).await;
    assert_eq!(open.texts(json!({ "chat": "a:b" })).await, ["0", "1"]);
    assert_eq!(redis.command::<usize>(["XLEN", &log_key("a:b")]).await, 2);
}

#[tokio::test]
async fn a_deletion_is_acknowledged_once_replicas_have_it() {
    let primary = Redis::start();
    let replica = Redis::replica_of(&primary).await;
    let confab = Confab::on(&primary)
        .variable("redis_replicas", 1)
        .variable("auth", "required");
    let confab = confab.variable("auth_secret", SECRET).start();
    let open = Confab::start(&primary);
    open.send_all("a:b", "a", ["0", "1"]).await;
    let page = open.pull(json!({ "chat": "a:b" })).await.ok();
    let again = async || delete(&confab, &service(), "a:b", &page["messages"][0], &page["epoch"]).await;
    // It connects, and loads the script.
    delete(&confab, &service(), "a:b", &page["messages"][1], &page["epoch"])
        .await
        .ok();
    replica.hang();
    // Said again it writes again: from Redis 7.2 on, nobody would wait for the replica else.
    let changes = async || primary.info("persistence").await.number("rdb_changes_since_last_save");
    for _ in 0..3 {
        let before = changes().await;
        let answer = again().await;
        assert!(changes().await > before);
        assert_eq!(
            (answer.problem(), &answer.json()["stored"]),
            ((503, Value::Null), &Value::Null)
        );
    }
    replica.resume();
    again().await.ok();
    until("the replica has deleted it", async || {
        replica.command::<usize>(["XLEN", &log_key("a:b")]).await == 2
    })
    .await;
}

/// 100,000 notices in a row at a chat's end: no route walks through them.
#[tokio::test]
async fn many_notices_are_passed_without_a_walk() {
    const NOTICES: u64 = 100_000;
    let redis = Redis::start();
    let (open, closed) = start(&redis);
    open.send_all("a:b", "b", numbers(0..5)).await;
    delete_all(&open, &closed, "a:b", &[3]).await;
    let epoch = open.epoch("a:b").await;
    // As the script writes them, but of a message that is gone already.
    let mut fill = redis::pipe();
    for number in 0..NOTICES {
        let time = epoch + 1_000_000_000 + number;
        fill.cmd("XADD")
            .arg(log_key("a:b"))
            .arg(format!("{epoch}-{}", 6 + number));
        fill.arg(time).arg("").arg("notice").arg("deleted 3 1 s").ignore();
        fill.cmd("SETBIT").arg(HOLES).arg(64 + 6 + number).arg(1).ignore();
    }
    let () = fill.query_async(&mut redis.connect().await).await.unwrap();
    redis
        .command::<()>(["CONFIG", "SET", "slowlog-log-slower-than", "0"])
        .await;
    redis.command::<()>(["CONFIG", "RESETSTAT"]).await;
    let left = ["0", "1", "2", "4"];
    assert_eq!(open.texts(json!({ "chat": "a:b" })).await, left);
    let reverse = open.texts(json!({ "chat": "a:b", "reverse": true })).await;
    assert_eq!(reverse, ["4", "2", "1", "0"]);
    assert_eq!(
        open.texts(json!({ "chat": "a:b", "before": 90_000, "cursor": 4 }))
            .await,
        ["4"]
    );
    assert_eq!(open.texts(json!({ "chat": "a:b", "cursor": 50 })).await, [""; 0]);
    let entry = open.inbox_chat("a", "a:b").await;
    assert_eq!((&entry["last"]["text"], &entry["unread"]), (&json!("4"), &json!(4)));
    assert_eq!(open.read_all("a:b", "a").await["unread"], 0);
    delete_all(&open, &closed, "a:b", &[4]).await;
    assert_eq!(open.inbox_chat("b", "a:b").await["last"]["text"], "2");
    // Redis counts what its commands did: few of them, each on few entries.
    let stats = redis.info("commandstats").await;
    let calls = |command: &str| {
        stats
            .calls()
            .find(|(name, _)| *name == command)
            .map_or(0, |(_, calls)| calls)
    };
    assert!(
        calls("xrange") + calls("xrevrange") < 60,
        "{} {}",
        calls("xrange"),
        calls("xrevrange")
    );
    assert!(calls("getrange") < 150, "{}", calls("getrange"));
}
