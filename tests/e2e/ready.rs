//! `GET /ready`: 200 if Redis can serve confab, and a prompt 503 otherwise.

use confab_kit::{Cluster, Confab, Port, Redis, RefusingRedis, until};
use reqwest::Method;
use serde_json::Value;
use std::time::{Duration, Instant};

/// A reply to `HELLO` of this version.
fn hello(version: &str) -> String {
    format!(
        "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n${}\r\n{version}",
        version.len()
    )
}

#[tokio::test]
async fn ready_is_200_if_redis_answers_and_stores_nothing() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.get("/ready").await.ok();
    let mut monitor = redis.monitor().await;
    let answer = confab.get("/ready").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.body, br#"{"message":"ready"}"#);
    assert_eq!(monitor.commands().await, ["PING", "HELLO"]);
    assert_eq!(redis.keys("*").await, Vec::<String>::new());
    assert_eq!(confab.request(Method::HEAD, "/ready", "").await.status, 200);
    assert_eq!(confab.request(Method::POST, "/ready", "").await.status, 405);
}

#[tokio::test]
async fn ready_is_503_while_redis_is_away_or_hangs_and_200_when_it_is_back() {
    let mut redis = Redis::start();
    let confab = Confab::on(&redis).variable("redis_timeout_ms", 300).start();
    confab.get("/ready").await.ok();
    redis.kill();
    assert_eq!(confab.get("/ready").await.problem(), (503, Value::Null));
    redis.restart();
    confab.get("/ready").await.ok();
    redis.hang();
    let began = Instant::now();
    let answer = confab.get("/ready").await;
    assert_eq!(answer.problem(), (503, Value::Null));
    assert!(began.elapsed() >= Duration::from_millis(300) && began.elapsed() < Duration::from_millis(1500));
    assert_eq!(answer.json().get("stored"), None);
    redis.resume();
    confab.get("/ready").await.ok();
}

/// A chat of every third name could still be served, and the others could not.
#[tokio::test(flavor = "multi_thread")]
async fn ready_is_503_while_a_cluster_is_down_and_costs_it_one_round_trip_more() {
    let mut cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    confab.get("/ready").await.ok();
    let mut monitor = cluster.node(0).monitor().await;
    confab.get("/ready").await.ok();
    let mut commands = monitor.commands().await;
    // Those that nodes and tests send.
    commands.retain(|command| ["PING", "HELLO", "CLUSTER"].contains(&command.as_str()));
    assert_eq!(commands, ["PING", "HELLO", "CLUSTER"]);
    for node in [2, 5] {
        cluster.node_mut(node).kill();
    }
    until("the Cluster is down", async || {
        let info: String = cluster.node(0).command(["CLUSTER", "INFO"]).await;
        info.contains("cluster_state:fail")
    })
    .await;
    assert_eq!(confab.get("/ready").await.problem(), (503, Value::Null));
    confab.logged("its Cluster is down").await;
    for node in [2, 5] {
        cluster.node_mut(node).restart();
    }
    cluster.healthy().await;
    confab.get("/ready").await.ok();
}

#[tokio::test]
async fn ready_is_503_if_redis_is_older_than_7_and_names_the_version() {
    let redis = Redis::start();
    let refusing = RefusingRedis::start(&redis);
    let confab = Confab::start(&refusing);
    for version in ["6.2.14", "5.0.0"] {
        refusing.answer(&["HELLO"], &hello(version));
        let answer = confab.get("/ready").await;
        assert_eq!(answer.problem(), (503, Value::Null));
        let problem = answer.json();
        assert_eq!(problem["type"], "/problems/old-redis");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(version.rsplit_once('.').unwrap().0), "{detail}");
    }
    for version in ["7.0.0", "8.4.1", "10.0.0"] {
        refusing.answer(&["HELLO"], &hello(version));
        confab.get("/ready").await.ok();
    }
    assert_eq!(refusing.connections(), 1);
}

#[tokio::test]
async fn ready_is_503_or_500_if_redis_refuses() {
    let redis = Redis::start();
    let refusing = RefusingRedis::start(&redis);
    let confab = Confab::start(&refusing);
    for (command, line, status) in [
        ("PING", "-LOADING Redis is loading the dataset in memory", 503),
        ("PING", "-MASTERDOWN Link with MASTER is down", 503),
        ("PING", "-NOPERM no permissions", 500),
        ("PING", "+PANG", 500),
        ("HELLO", "-ERR unknown command 'HELLO'", 500),
        ("HELLO", "+OK", 500),
    ] {
        refusing.answer(&[command], line);
        assert_eq!(confab.get("/ready").await.problem(), (status, Value::Null), "{line}");
        refusing.pass();
    }
    confab.get("/ready").await.ok();
}

#[tokio::test]
async fn ready_is_500_if_a_variable_is_wrong() {
    let nothing = Port::reserve();
    let confab = Confab::on(&nothing).variable("stream_lifetime_s", "long").start();
    assert_eq!(confab.get("/ready").await.problem(), (500, Value::Null));
    confab.logged("stream_lifetime_s").await;
}
