//! Redis away, back, and hung: a prompt 503, and no restart of anything.

use crate::support::{Answer, Confab, Redis};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Well above the deadline that these tests set, and well below the default one.
const SOON: Duration = Duration::from_millis(1500);
const DEADLINE: [(&str, &str); 1] = [("redis_timeout_ms", "300")];

async fn confab(redis: &Redis) -> Confab {
    Confab::with(&[("redis_host", &redis.host()), DEADLINE[0]]).await
}

async fn unavailable(answer: impl Future<Output = Answer>) {
    let started = Instant::now();
    let answer = answer.await;
    assert_eq!(answer.problem(), (503, Value::Null));
    assert_eq!(answer.header("retry-after"), "1");
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    let told = String::from_utf8(answer.body).unwrap().to_lowercase();
    for cause in ["redis", "refused", "127.0.0.1", "broken", "reset"] {
        assert!(!told.contains(cause), "{told}");
    }
}

#[tokio::test]
async fn a_killed_redis_is_503_and_a_restarted_one_is_served_at_once() {
    let mut redis = Redis::start();
    let confab = confab(&redis).await;
    confab.send("a:b", "a", "before").await.ok();
    redis.kill();
    for _ in 0..3 {
        unavailable(confab.send("a:b", "a", "lost")).await;
        unavailable(confab.pull(json!({ "chat": "a:b" }))).await;
    }
    confab.get("/ping").await.ok();
    assert!(confab.log().contains("Redis is unavailable"), "{}", confab.log());
    redis.restart();
    assert_eq!(confab.send("a:b", "a", "after").await.ok()["index"], 0);
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["after"]);
}

#[tokio::test]
async fn a_connection_that_broke_while_idle_does_not_fail_a_pull() {
    let mut redis = Redis::start();
    let confab = confab(&redis).await;
    // Of the instances that there are, each may have a connection: they all break.
    confab.send("a:b", "a", "hi").await.ok();
    redis.kill();
    redis.restart();
    confab.pull(json!({ "chat": "a:b" })).await.ok();
}

#[tokio::test]
async fn a_redis_that_comes_after_confab_is_found() {
    let mut redis = Redis::start();
    redis.kill();
    let confab = confab(&redis).await;
    unavailable(confab.pull(json!({ "chat": "a:b" }))).await;
    redis.restart();
    confab.pull(json!({ "chat": "a:b" })).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_redis_is_503_within_the_deadline_and_served_when_it_runs_again() {
    let redis = Redis::start();
    let confab = confab(&redis).await;
    confab.send("a:b", "a", "before").await.ok();
    redis.hang();
    // The first waits on the connection that is open, the later ones on one that does not open; then many at once.
    for _ in 0..2 {
        unavailable(confab.send("c:d", "c", "lost?")).await;
        unavailable(confab.pull(json!({ "chat": "a:b" }))).await;
    }
    let many = (0..40).map(|_| unavailable(confab.pull(json!({ "chat": "a:b" }))));
    futures::future::join_all(many).await;
    confab.get("/ping").await.ok();
    redis.resume();
    // What was waiting at the hung server may take it a moment.
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["before"]);
    confab.send("a:b", "a", "after").await.ok();
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["before", "after"]);
    assert!(confab.log().contains("no answer within 300 ms"), "{}", confab.log());
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_a_500_whose_cause_only_the_log_has() {
    let redis = Redis::start();
    let confab = Confab::with(&[("redis_host", &redis.host()), ("redis_scheme", "tcp")]).await;
    let answer = confab.pull(json!({ "chat": "a:b" })).await;
    assert_eq!(answer.problem(), (500, Value::Null));
    assert!(confab.log().contains("allowed_outbound_hosts"), "{}", confab.log());
}

#[tokio::test]
async fn a_malformed_setting_is_a_500_whose_cause_only_the_log_has() {
    let redis = Redis::start();
    let confab = Confab::with(&[("redis_host", &redis.host()), ("redis_timeout_ms", "soon")]).await;
    assert_eq!(confab.send("a:b", "a", "hi").await.problem(), (500, Value::Null));
    assert!(confab.log().contains("redis_timeout_ms"), "{}", confab.log());
}

#[tokio::test]
async fn a_redis_with_a_password_is_served_with_the_credentials() {
    let redis = Redis::start();
    let mut connection = redis.connect().await;
    let () = redis::cmd("CONFIG")
        .arg(&["SET", "requirepass", "s3cr@t/"])
        .query_async(&mut connection)
        .await
        .unwrap();
    let host = redis.host();
    let confab = Confab::with(&[("redis_host", &host), ("redis_credentials", ":s3cr%40t%2F")]).await;
    confab.send("a:b", "a", "hi").await.ok();
    let without = Confab::with(&[("redis_host", &host)]).await;
    assert_eq!(without.send("a:b", "a", "hi").await.problem(), (503, Value::Null));
    assert!(without.log().contains("Authentication"), "{}", without.log());
}
