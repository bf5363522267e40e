//! The server log: which request failed and why, and nothing that a person has said, is called or must keep secret.

use confab_kit::{Confab, Follower, Redis, TestResponse, log_key};
use reqwest::Method;
use serde_json::json;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The value of a word of a line.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split(' ')
        .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

#[tokio::test]
async fn a_failure_is_one_line_of_keys_and_values_with_the_trace_of_its_request() {
    let mut redis = Redis::start();
    let confab = Confab::on(&redis).variable("redis_timeout_ms", 300).start();
    redis.kill();
    for (method, path) in [
        (Method::GET, "/ready"),
        (Method::GET, "/api/pull?chat=a:b"),
        (Method::POST, "/api/send"),
    ] {
        let before = confab.log().lines().count();
        let request = confab.build(method, path).body(confab.body("a:b", "a", "hi"));
        let answer = TestResponse::to(request.header("traceparent", TRACEPARENT)).await;
        let problem = answer.json();
        confab
            .logged(&format!("route={} ", path.split('?').next().unwrap()))
            .await;
        let log = confab.log();
        let lines: Vec<_> = log.lines().skip(before).collect();
        let [line] = lines[..] else {
            panic!("{path}: {lines:?}");
        };
        assert!(line.starts_with("confab: problem="), "{line}");
        assert_eq!(value(line, "problem"), problem["type"].as_str(), "{line}");
        assert_eq!(value(line, "traceparent"), Some(TRACEPARENT), "{line}");
        let duration: u64 = value(line, "duration_ms").unwrap().parse().unwrap();
        assert!(duration < 1500, "{line}");
        assert!(line.contains(" cause=\"") && line.ends_with('"'), "{line}");
    }
    // A stream fails after its answer has begun.
    Follower::start(&confab, "chat=a:b", None).next().await;
    confab.logged("route=/api/stream ").await;
}

#[tokio::test]
async fn no_text_name_key_or_token_is_in_the_log() {
    const SECRETS: [&str; 4] = ["alice", "bob", "secret", "traceparent"];
    let mut redis = Redis::start();
    let confab = Confab::on(&redis).variable("redis_timeout_ms", 300).start();
    let keyed = async || confab.send_keyed("alice:bob", "bob", "secret", "secret-key").await;
    keyed().await.ok();
    let forged = async || {
        let request = confab.build(Method::GET, "/api/pull?chat=alice:bob");
        let request = request
            .header("authorization", "Bearer secret")
            .header("traceparent", "secret");
        TestResponse::to(request).await
    };
    let mut failures = 0;
    let mut failed = |answer: TestResponse| {
        assert!(answer.status >= 500, "{answer:?}");
        failures += 1;
    };
    let log = log_key("alice:bob");
    let epoch = confab.epoch("alice:bob").await;
    redis
        .command::<()>(["XADD", &log, &format!("{epoch}-7"), "secret", "alice"])
        .await;
    failed(forged().await);
    for key in redis.keys("confab:*").await {
        redis.command::<()>(["SET", &key, "a secret of alice"]).await;
    }
    failed(forged().await);
    failed(keyed().await);
    failed(confab.inbox_by("name=bob").await);
    failed(
        confab
            .pull(json!({ "chat": "alice:bob", "cursor": 9, "wait": 1 }))
            .await,
    );
    assert_eq!(
        Follower::start(&confab, "chat=alice:bob", None).next().await.name,
        "problem"
    );
    redis.kill();
    failed(forged().await);
    failed(keyed().await);
    let lines = confab.log();
    assert!(lines.lines().count() > failures, "{lines}");
    for secret in SECRETS {
        assert!(!lines.contains(secret), "{lines}");
    }
}
