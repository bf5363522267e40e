//! `redis_replicas`: a send is acknowledged once so many replicas have it.

use confab_host::instances::REQUESTS_AT_ONCE;
use confab_kit::{Confab, Proxy, Redis, RefusingRedis, TestResponse, Traffic, log_key, until};
use futures::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// A confab whose sends are acknowledged once so many replicas have them.
fn confab(redis: &Redis, replicas: u64) -> Confab {
    Confab::on(redis).variable("redis_replicas", replicas).start()
}

#[track_caller]
fn assert_unknown(answer: &TestResponse) {
    assert_eq!(answer.problem(), (503, Value::Null));
    assert_eq!(
        (&answer.json()["stored"], answer.header("retry-after")),
        (&Value::Null, "1")
    );
}

#[tokio::test]
async fn a_send_that_too_few_replicas_have_is_a_503_that_does_not_say_what_is_stored() {
    let primary = Redis::start();
    let [hung, _second] = [Redis::replica_of(&primary).await, Redis::replica_of(&primary).await];
    let [none, one, two] = [0, 1, 2].map(|replicas| confab(&primary, replicas));
    for confab in [&none, &one, &two] {
        confab.send("a:b", "a", "hi").await.ok();
    }
    hung.hang();
    none.send("a:b", "a", "hi").await.ok();
    one.send("a:b", "a", "hi").await.ok();
    assert_unknown(&two.send_keyed("a:b", "a", "maybe", "key").await);
    two.logged("1 of its replicas have the message in time, redis_replicas requires 2")
        .await;
    // It is stored all the same, and pulls do not wait for replicas.
    let texts = two.texts(json!({ "chat": "a:b" })).await;
    assert_eq!(texts, ["hi", "hi", "hi", "hi", "hi", "maybe"]);
    hung.resume();
    let again = two.send_keyed("a:b", "a", "maybe", "key").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn a_repeated_send_is_acknowledged_once_replicas_have_the_first() {
    let primary = Redis::start();
    let replica = Redis::replica_of(&primary).await;
    let [confab, another] = [confab(&primary, 1), confab(&primary, 1)];
    for host in [&confab, &another] {
        host.send("a:b", "a", "before").await.ok();
    }
    replica.hang();
    // The first may have come by another connection: without a write of its own, Redis 7.2 would acknowledge the second at once.
    for host in [&confab, &confab, &another] {
        let changes = async || primary.info("persistence").await.number("rdb_changes_since_last_save");
        let before = changes().await;
        assert_unknown(&host.send_keyed("a:b", "a", "hi", "key").await);
        assert!(changes().await > before);
    }
    replica.resume();
    let again = confab.send_keyed("a:b", "a", "hi", "key").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.ok()["index"], 2);
    let stored: usize = replica.command(["XLEN", &log_key("a:b")]).await;
    assert_eq!(stored, 3);
}

#[tokio::test]
async fn a_connection_that_breaks_before_replicas_have_a_send_acknowledges_nothing() {
    let primary = Redis::start();
    let _replica = Redis::replica_of(&primary).await;
    let refusing = RefusingRedis::start(&primary);
    let confab = Confab::on(&refusing).variable("redis_replicas", 1).start();
    confab.send("a:b", "a", "before").await.ok();
    assert_eq!((refusing.count("WAIT"), refusing.connections()), (1, 1));
    // A demoted primary, and a line that ends the connection.
    let replica = "-ERR WAIT cannot be used with replica instances. Please also note that";
    for (line, times, status) in [
        (replica, 1, 200),
        (replica, 2, 503),
        ("-UNBLOCKED force unblock from blocking operation", 1, 200),
        (
            "-NOPERM User confab has no permissions to run the 'wait' command",
            1,
            500,
        ),
        ("?", 1, 200),
        ("?", 2, 503),
    ] {
        refusing.answer_times(times, &["WAIT"], line);
        let (connections, scripts) = (refusing.connections(), refusing.count("EVALSHA"));
        let answer = confab.send("a:b", "a", line).await;
        assert_eq!(answer.status, status, "{line}");
        if status == 503 {
            assert_unknown(&answer);
        }
        // The script runs again over the new connection: only then does WAIT speak of what it wrote.
        let again = usize::from(status != 500);
        assert_eq!(refusing.connections() - connections, again, "{line}");
        assert_eq!(refusing.count("EVALSHA") - scripts, 1 + again, "{line}");
        refusing.pass();
    }
    let texts = confab.texts(json!({ "chat": "a:b" })).await;
    assert_eq!(texts.len(), 7, "{texts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_at_once_wait_for_replicas_together() {
    let primary = Redis::start();
    let _replica = Redis::replica_of(&primary).await;
    let proxy = Proxy::start(&primary, Traffic::Forward);
    let confab = Confab::on(&proxy).variable("redis_replicas", 1);
    let confab = Arc::new(confab.variable("redis_timeout_ms", 20_000).start());
    confab.send("a:b", "a", "hi").await.ok();
    let mut monitor = primary.monitor().await;
    proxy.set(Traffic::Gate(REQUESTS_AT_ONCE));
    let mut sends = JoinSet::new();
    for number in 0..REQUESTS_AT_ONCE {
        let confab = Arc::clone(&confab);
        sends.spawn(async move { confab.send(&format!("{number}:x"), "x", "hi").await.ok() });
        let held = async || proxy.waiting() > number || number + 1 == REQUESTS_AT_ONCE;
        until("the proxy holds the script", held).await;
    }
    sends.join_all().await;
    let commands = monitor.commands().await;
    let count = |name| commands.iter().filter(|command| *command == name).count();
    println!("{} sends at once: {} WAITs", count("EVALSHA"), count("WAIT"));
    assert!(count("WAIT") <= 3, "{commands:?}");
}

/// The p50 and the p99.
fn percentiles(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort();
    [50, 99].map(|percent| times[(times.len() * percent / 100).min(times.len() - 1)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_hangs_holds_up_only_sends_that_need_it() {
    let primary = Redis::start();
    let replicas = [Redis::replica_of(&primary).await, Redis::replica_of(&primary).await];
    let confab = &confab(&primary, 1);
    let time = async |requests: usize, status: u16, is_send: bool| {
        let client = async |client: usize| {
            let chat = format!("{client}:x");
            let mut times = Vec::new();
            for _ in 0..requests {
                let began = Instant::now();
                let answer = if is_send {
                    confab.send(&chat, "x", "hi").await
                } else {
                    confab.pull(json!({ "chat": chat })).await
                };
                assert_eq!(answer.status, status);
                times.push(began.elapsed());
            }
            times
        };
        percentiles(join_all((0..16).map(client)).await.concat())
    };
    let mut pulls_before = Duration::MAX;
    for (hung, status, requests) in [(0, 200, 50), (1, 200, 50), (2, 503, 3)] {
        replicas[..hung].iter().for_each(Redis::hang);
        let (sends, pulls) = tokio::join!(time(requests, status, true), time(50, 200, false));
        println!(
            "{hung} of 2 replicas hang, one must have a send: p50 and p99 of sends, all {status}: {sends:?}, of pulls: {pulls:?}"
        );
        // A send waits for the one before it, and then a third of redis_timeout_ms itself.
        assert!(sends[1] < Duration::from_secs(2), "{sends:?}");
        if hung == 0 {
            pulls_before = pulls[1];
        }
        assert!(pulls[1] < 3 * pulls_before + Duration::from_millis(100), "{pulls:?}");
    }
}
