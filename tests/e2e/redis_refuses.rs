//! What Redis refuses, in every way that it can: the status, what is stored, and what it costs; nothing of it in the server log.

use confab_kit::{Confab, Redis, RefusingRedis, TestResponse};
use serde_json::{Value, json};

const SCRIPTS: &[&str] = &["EVALSHA", "EVAL"];
const SECRET: &str = "hunter2";

/// How often Redis is asked, and over how many connections, if it refuses for good.
#[derive(Clone, Copy)]
enum Cost {
    Once,
    AgainOnAnother,
}

/// What Redis says, the code and the status that are made of it, and the cost.
const REFUSALS: [(&str, &str, u16, Cost); 15] = [
    (
        "-OOM command not allowed when used memory > 'maxmemory'.",
        "OOM",
        503,
        Cost::Once,
    ),
    (
        "-MISCONF Errors writing to the AOF file: hunter2",
        "MISCONF",
        503,
        Cost::Once,
    ),
    ("-BUSY Redis is busy running a script.", "BUSY", 503, Cost::Once),
    (
        "-NOREPLICAS Not enough good replicas to write.",
        "NOREPLICAS",
        503,
        Cost::Once,
    ),
    (
        "-READONLY You can't write against a read only replica.",
        "READONLY",
        503,
        Cost::AgainOnAnother,
    ),
    (
        "-LOADING Redis is loading the dataset in memory",
        "LOADING",
        503,
        Cost::AgainOnAnother,
    ),
    (
        "-MASTERDOWN Link with MASTER is down",
        "MASTERDOWN",
        503,
        Cost::AgainOnAnother,
    ),
    (
        "-NOPERM User hunter2 has no permissions to run the 'evalsha' command",
        "NOPERM",
        500,
        Cost::Once,
    ),
    ("-NOAUTH Authentication required.", "NOAUTH", 500, Cost::Once),
    (
        "-WRONGTYPE Operation against a key holding the wrong kind of value",
        "WRONGTYPE",
        500,
        Cost::Once,
    ),
    (
        "-ERR unknown command 'EVALSHA', with args beginning with: 'x' 'hunter2'",
        "ERR",
        500,
        Cost::Once,
    ),
    (
        "-ERR wrong number of arguments for 'hunter2' command",
        "ERR",
        500,
        Cost::Once,
    ),
    (
        "-ERR The user executing the script can't run this command or subcommand script: f1d2, on @user_script:36.",
        "ERR",
        500,
        Cost::Once,
    ),
    ("-ERR hunter2", "ERR", 500, Cost::Once),
    ("-NEWCODE hunter2", "NEWCODE", 500, Cost::Once),
];

/// The member `stored` of a problem; "absent" if it has none.
fn stored(answer: &TestResponse) -> Value {
    answer.json().get("stored").cloned().unwrap_or(json!("absent"))
}

#[tokio::test]
async fn a_refusal_costs_no_connection_and_no_second_run_and_nothing_of_it_is_in_the_server_log() {
    let redis = Redis::start();
    for (line, code, status, cost) in REFUSALS {
        let refusing = RefusingRedis::start(&redis);
        let confab = Confab::start(&refusing);
        confab.send("a:b", "a", "before").await.ok();
        let (scripts, connections) = (refusing.count("EVALSHA"), refusing.connections());
        refusing.answer(SCRIPTS, line);
        let send = confab.send("a:b", "a", SECRET).await;
        let pull = confab.pull(json!({ "chat": "a:b" })).await;
        let cost = match cost {
            Cost::Once => 0,
            Cost::AgainOnAnother => 2,
        };
        assert_eq!(refusing.count("EVALSHA"), scripts + 2 + cost, "{line}");
        assert_eq!(refusing.connections(), connections + cost, "{line}");
        for (answer, expected) in [(&send, json!(false)), (&pull, json!("absent"))] {
            assert_eq!(answer.problem(), (status, Value::Null), "{line}");
            let expected = if status == 503 { expected } else { json!("absent") };
            assert_eq!(stored(answer), expected, "{line}");
            assert_eq!(
                answer.header("retry-after"),
                if status == 503 { "1" } else { "" },
                "{line}"
            );
        }
        confab.logged(&format!("Redis refused: {code}, ")).await;
        let log = confab.log();
        assert!(!log.contains(SECRET), "{log}");
        assert_eq!(log.lines().count(), 2, "{log}");
        refusing.pass();
        confab.send("a:b", "a", "after").await.ok();
        assert_eq!(refusing.connections(), connections + cost, "{line}");
        redis.empty().await;
    }
}

#[tokio::test]
async fn a_hundred_sends_to_a_full_redis_are_a_hundred_scripts_on_one_connection() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send("a:b", "a", "before").await.ok();
    redis.command::<()>(["CONFIG", "SET", "maxmemory", "1"]).await;
    let figures = async || {
        let opened = redis.info("stats").await.number("total_connections_received");
        let stats = redis.info("commandstats").await;
        let scripts = stats
            .calls()
            .find(|(name, _)| *name == "evalsha")
            .map(|(_, calls)| calls);
        (opened, scripts.unwrap_or(0), confab.instances())
    };
    let before = figures().await;
    for _ in 0..100 {
        let answer = confab.send("a:b", "a", "hi").await;
        assert_eq!((answer.problem(), stored(&answer)), ((503, Value::Null), json!(false)));
    }
    let after = figures().await;
    // Each look at the figures takes two connections of its own.
    let opened = after.0 - before.0 - 2;
    println!(
        "100 sends to a full Redis: {} scripts, {opened} connections",
        after.1 - before.1
    );
    assert_eq!(after.1 - before.1, 100);
    assert_eq!(opened, u64::try_from(after.2 - before.2).unwrap());
    redis.command::<()>(["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["before"]);
}

#[tokio::test]
async fn what_another_redis_may_accept_is_sent_once_more_on_a_new_connection() {
    let redis = Redis::start();
    let refusing = RefusingRedis::start(&redis);
    let confab = Confab::start(&refusing);
    // Redis knows the scripts from then on.
    confab.send("c:d", "c", "hi").await.ok();
    for (index, line) in ["-READONLY x", "-LOADING x", "-MASTERDOWN x"].into_iter().enumerate() {
        refusing.answer_times(1, &["EVALSHA"], line);
        assert_eq!(confab.send("a:b", "a", "hi").await.ok()["index"], index);
    }
    assert_eq!(confab.log(), "");
}

#[tokio::test]
async fn a_command_that_the_acl_refuses_within_a_script_is_a_500_that_stores_nothing() {
    let redis = Redis::start();
    let rules = ["~confab:*", "+@all", "-xadd"];
    let credentials = redis.user("me", &rules).await;
    let confab = Confab::on(&redis).variable("redis_credentials", credentials).start();
    assert_eq!(confab.send("a:b", "a", SECRET).await.problem(), (500, Value::Null));
    confab
        .logged("Redis refused: ERR, its user may not run a command of the script (line ")
        .await;
    assert!(!confab.log().contains(SECRET));
}

#[tokio::test]
async fn a_redis_that_accepts_no_more_connections_is_a_503_and_one_that_does_again_is_asked_again() {
    let redis = Redis::start();
    let refusing = RefusingRedis::start(&redis);
    refusing.greet("-ERR max number of clients reached");
    let confab = Confab::start(&refusing);
    let answer = confab.send("a:b", "a", "hi").await;
    assert_eq!((answer.problem(), stored(&answer)), ((503, Value::Null), json!(false)));
    refusing.pass();
    confab.send("a:b", "a", "hi").await.ok();
    // Said on an open connection, it costs that connection, as Redis closes it.
    let connections = refusing.connections();
    refusing.answer_times(1, &["EVALSHA"], "-ERR max number of clients reached");
    confab.send("a:b", "a", "hi").await.ok();
    assert_eq!(refusing.connections(), connections + 1);
}

#[tokio::test]
async fn wrong_credentials_are_a_500() {
    let redis = Redis::start();
    redis.command::<()>(["CONFIG", "SET", "requirepass", "right"]).await;
    let confab = Confab::on(&redis).variable("redis_credentials", ":hunter2").start();
    assert_eq!(confab.send("a:b", "a", "hi").await.problem(), (500, Value::Null));
    confab
        .logged("Redis refused: WRONGPASS, it does not accept the credentials")
        .await;
    assert!(!confab.log().contains(SECRET));
}
