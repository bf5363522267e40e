//! Redis is away, returns, and hangs: a prompt 503, and nothing needs a restart.

use confab_kit::{Confab, Redis, RefusingRedis, TestResponse, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Well above the timeout that these tests set, and well below the default.
const SOON: Duration = Duration::from_millis(1500);

fn confab(redis: &Redis) -> Confab {
    Confab::on(redis).variable("redis_timeout_ms", 300).start()
}

async fn unavailable(answer: impl Future<Output = TestResponse>) {
    let started = Instant::now();
    let answer = answer.await;
    assert_eq!(answer.problem(), (503, Value::Null));
    assert_eq!(answer.header("retry-after"), "1");
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    let body = String::from_utf8(answer.body).unwrap().to_lowercase();
    for cause in ["redis", "refused", "127.0.0.1", "broken", "reset"] {
        assert!(!body.contains(cause), "{body}");
    }
}

#[tokio::test]
async fn requests_are_503_while_redis_is_down_and_succeed_as_soon_as_it_is_back() {
    let mut redis = Redis::start();
    let confab = confab(&redis);
    confab.send("a:b", "a", "before").await.ok();
    redis.kill();
    for _ in 0..3 {
        unavailable(confab.send("a:b", "a", "lost")).await;
        unavailable(confab.pull(json!({ "chat": "a:b" }))).await;
    }
    confab.get("/ping").await.ok();
    confab.logged("Redis is unavailable").await;
    redis.restart();
    assert_eq!(confab.send("a:b", "a", "after").await.ok()["index"], 0);
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["after"]);
}

#[tokio::test]
async fn a_connection_that_broke_while_idle_fails_no_pull() {
    let mut redis = Redis::start();
    let confab = confab(&redis);
    // Each instance may have a connection. All of them break.
    confab.send("a:b", "a", "hi").await.ok();
    redis.kill();
    redis.restart();
    confab.pull(json!({ "chat": "a:b" })).await.ok();
}

#[tokio::test]
async fn redis_may_start_after_confab() {
    let mut redis = Redis::start();
    redis.kill();
    let confab = confab(&redis);
    unavailable(confab.pull(json!({ "chat": "a:b" }))).await;
    redis.restart();
    confab.pull(json!({ "chat": "a:b" })).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_503_within_the_timeout_while_redis_hangs_and_succeed_when_it_runs_again() {
    let redis = Redis::start();
    let confab = confab(&redis);
    confab.send("a:b", "a", "before").await.ok();
    redis.hang();
    // The first waits on the open connection, the others on one that does not open. Then many wait at once.
    for _ in 0..2 {
        unavailable(confab.send("c:d", "c", "lost?")).await;
        unavailable(confab.pull(json!({ "chat": "a:b" }))).await;
    }
    let many = (0..40).map(|_| unavailable(confab.pull(json!({ "chat": "a:b" }))));
    futures::future::join_all(many).await;
    confab.get("/ping").await.ok();
    redis.resume();
    // First the server works through the commands that waited for it.
    until("Redis answers again", async || {
        confab.pull(json!({ "chat": "a:b" })).await.status == 200
    })
    .await;
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["before"]);
    confab.send("a:b", "a", "after").await.ok();
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["before", "after"]);
    confab.logged("no answer within 3").await;
    confab.logged("no connection within 3").await;
}

#[tokio::test]
async fn a_scheme_that_is_not_of_redis_is_a_500_and_its_cause_is_only_in_the_server_log() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("redis_scheme", "tcp").start();
    let answer = confab.pull(json!({ "chat": "a:b" })).await;
    assert_eq!(answer.problem(), (500, Value::Null));
    confab.logged("the variable redis_scheme must").await;
}

#[tokio::test]
async fn a_malformed_timeout_is_a_500_and_its_cause_is_only_in_the_server_log() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("redis_timeout_ms", "soon").start();
    assert_eq!(confab.send("a:b", "a", "hi").await.problem(), (500, Value::Null));
    confab.logged("redis_timeout_ms").await;
}

#[tokio::test]
async fn a_redis_with_a_password_needs_the_credentials() {
    let redis = Redis::start();
    redis.command::<()>(["CONFIG", "SET", "requirepass", "s3cr@t/"]).await;
    let confab = Confab::on(&redis).variable("redis_credentials", ":s3cr%40t%2F").start();
    confab.send("a:b", "a", "hi").await.ok();
    let without = Confab::start(&redis);
    assert_eq!(without.send("a:b", "a", "hi").await.problem(), (500, Value::Null));
    without.logged("Redis refused: NOAUTH, it needs a password").await;
}

#[tokio::test]
async fn a_late_request_does_not_drop_the_healthy_connection_that_its_second_try_shares() {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let redis = Redis::start();
    let slow = RefusingRedis::start(&redis);
    let timeout = u64::try_from(TIMEOUT.as_millis()).unwrap();
    let confab = Confab::on(&slow).variable("redis_timeout_ms", timeout).start();
    confab.send("a:b", "a", "hi").await.ok();
    assert_eq!(slow.connections(), 1);
    // Both tries of the request wait: the first until its connection breaks, the second until the deadline has passed.
    slow.delay(2, "EVALSHA", TIMEOUT.mul_f32(0.7));
    let late = async {
        let answer = confab.pull(json!({ "chat": "a:b" })).await;
        assert_eq!(answer.problem(), (503, Value::Null));
        assert_eq!(slow.connections(), 2);
        // The next request shares the second connection, which answers after the late reply.
        confab.pull(json!({ "chat": "a:b" })).await.ok();
    };
    let cutting = async {
        until("the first try waits", async || slow.count("EVALSHA") == 2).await;
        tokio::time::sleep(TIMEOUT.mul_f32(0.6)).await;
        slow.cut();
    };
    tokio::join!(late, cutting);
    assert_eq!(slow.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_brings_replies_is_kept_even_if_requests_are_late() {
    let redis = Redis::start();
    let slow = RefusingRedis::start(&redis);
    let confab = Confab::on(&slow).variable("redis_timeout_ms", 600).start();
    confab.pull(json!({ "chat": "a:b" })).await.ok();
    // One after the other on one connection: the second is late, the first is not.
    slow.delay(2, "EVALSHA", Duration::from_millis(400));
    let pull = || confab.pull(json!({ "chat": "a:b" }));
    let (one, other) = tokio::join!(pull(), pull());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
    pull().await.ok();
    assert_eq!(slow.connections(), 1);
}
