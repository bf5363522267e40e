//! An event stream while Redis is away, hangs, or has unreadable data.

use confab_kit::{Confab, Follower, Redis, RefusingRedis, log_key, numbers, until};
use serde_json::json;

/// confab with this timeout for Redis.
fn with_timeout(redis: &Redis, milliseconds: u64) -> Confab {
    Confab::on(redis).variable("redis_timeout_ms", milliseconds).start()
}

#[tokio::test]
async fn if_stored_data_is_unreadable_the_stream_reports_a_problem_and_ends() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    redis.command::<()>(["SET", &log_key("a:b"), "not a log"]).await;
    for query in ["chat=a:b", "chat=a:b&cursor=0"] {
        let mut follower = Follower::start(&confab, query, None);
        let problem = follower.next().await;
        assert_eq!((&*problem.name, &*problem.id), ("problem", ""));
        assert_eq!(
            (&problem.data["type"], &problem.data["status"]),
            (&json!("/problems/internal"), &json!(500))
        );
        assert_eq!(follower.next_in_this_stream().await, None, "{query}");
    }
    confab.logged(&redis.logged_key(&log_key("a:b")).await).await;
}

#[tokio::test]
async fn a_broken_connection_to_redis_does_not_end_the_stream() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let mut follower = Follower::start(&confab, "chat=a:b", None).opened().await;
    for index in 0..10 {
        redis.cut_clients().await;
        confab.send_all("a:b", "a", ["hi"]).await;
        assert_eq!(follower.next().await.index(), index);
    }
    assert_eq!(follower.connected, 1);
}

#[tokio::test]
async fn if_redis_is_back_within_the_timeout_the_stream_does_not_end() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let confab = with_timeout(&redis, 15_000);
    let mut follower = Follower::start(&confab, "chat=a:b", None).opened().await;
    for index in 0..3 {
        redis.kill();
        redis.restart();
        confab.send_all("a:b", "a", ["hi"]).await;
        assert_eq!(follower.next().await.index(), index);
    }
    assert_eq!(follower.connected, 1);
}

#[tokio::test]
async fn if_redis_is_away_for_longer_a_follower_receives_problems_and_continues_when_it_is_back() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let confab = with_timeout(&redis, 300);
    confab.send_all("a:b", "a", numbers(0..3)).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(3).await, [0, 1, 2]);
    redis.kill();
    // The client tries again and again, and receives a problem each time.
    for _ in 0..3 {
        let problem = follower.next().await;
        assert_eq!(
            (&*problem.name, &problem.data["type"]),
            ("problem", &json!("/problems/unavailable"))
        );
    }
    redis.restart();
    confab.send_all("a:b", "a", ["3"]).await;
    assert_eq!(follower.next_but_problems().await.index(), 3);
}

#[tokio::test]
async fn if_redis_hangs_a_follower_receives_a_problem_and_continues_when_it_runs_again() {
    let redis = Redis::start();
    let confab = Confab::on(&redis)
        .variable("redis_timeout_ms", 300)
        .variable("stream_heartbeat_s", 1)
        .start();
    confab.send_all("a:b", "a", ["0"]).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.next().await.index(), 0);
    redis.hang();
    assert_eq!(follower.next().await.data["type"], "/problems/unavailable");
    redis.resume();
    until("Redis answers again", async || {
        confab.send("a:b", "a", "1").await.status == 200
    })
    .await;
    assert_eq!(follower.next_but_problems().await.index(), 1);
}

#[tokio::test]
async fn a_follower_is_told_of_a_lasting_refusal_at_once_and_keeps_waiting_through_a_passing_one() {
    let redis = Redis::start();
    let refusing = RefusingRedis::start(&redis);
    let confab = Confab::on(&refusing).variable("redis_timeout_ms", 300).start();
    confab.send("a:b", "a", "hi").await.ok();
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None).opened().await;
    assert_eq!(follower.next().await.index(), 0);
    for (line, kind) in [
        ("-NOPERM x", "/problems/internal"),
        ("-BUSY x", "/problems/unavailable"),
    ] {
        refusing.answer(&["EVALSHA", "XREAD"], line);
        // Wakes the wait that is under way.
        redis.cut_clients().await;
        let problem = follower.next().await;
        assert_eq!(
            (&*problem.name, &problem.data["type"]),
            ("problem", &json!(kind)),
            "{line}"
        );
        refusing.pass();
    }
    confab.send("a:b", "a", "hi").await.ok();
    assert_eq!(follower.next_but_problems().await.index(), 1);
}
