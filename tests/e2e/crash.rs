//! Redis killed in the midst of its work (SIGKILL), and started again from its append-only file.

use crate::support::{Acknowledged, Audit, Confab, Redis, seed};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const CRASHES: usize = 5;
const CLIENTS: usize = 16;

/// Kills Redis again and again while clients send, each with a key and until it is answered.
async fn crash_again_and_again(fsync: &str, options: &'static [&'static str]) -> Audit {
    let mut random = fastrand::Rng::with_seed(seed());
    let mut redis = Redis::with(options);
    let confab = Arc::new(Confab::with(&[("redis_host", &redis.host()), ("redis_timeout_ms", "1000")]).await);
    let answered = Arc::new(AtomicUsize::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (confab, answered, over) = (Arc::clone(&confab), Arc::clone(&answered), Arc::clone(&over));
        clients.spawn(async move {
            let mut acknowledged = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let text = format!("{client}/{}", acknowledged.len());
                let receipt = loop {
                    let answer = confab.send_keyed("a:b", "a", &text, &text).await;
                    if answer.status == 200 {
                        break answer.json();
                    }
                    assert_eq!(answer.problem(), (503, Value::Null));
                    // As a client would, so that the machine is left to Redis, which is starting.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                };
                acknowledged.push(Acknowledged {
                    chat: "a:b".to_owned(),
                    text,
                    receipt,
                });
                answered.fetch_add(1, Ordering::Relaxed);
            }
            acknowledged
        });
    }
    for _ in 0..CRASHES {
        let enough = answered.load(Ordering::Relaxed) + random.usize(100..400);
        while answered.load(Ordering::Relaxed) < enough {
            tokio::task::yield_now().await;
        }
        redis.kill();
        redis.restart();
    }
    over.store(true, Ordering::Relaxed);
    let acknowledged = clients.join_all().await.concat();
    let audit = Audit::of(&confab, &acknowledged).await;
    println!("{CRASHES} crashes of Redis, appendfsync {fsync}: {audit}");
    audit
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_crash_of_redis_that_syncs_always() {
    let options = &["--appendonly", "yes", "--appendfsync", "always"];
    crash_again_and_again("always", options).await.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_doubled_by_a_crash_of_redis_that_syncs_every_second() {
    let options = &["--appendonly", "yes", "--appendfsync", "everysec"];
    let audit = crash_again_and_again("everysec", options).await;
    // How much is lost is Redis's matter: it is printed.
    assert_eq!(audit.doubled, 0, "{audit}");
}
