//! Redis is killed (SIGKILL) at work, and started again with its append-only file.

use confab_kit::{Acknowledged, Audit, Confab, Redis, seed, until};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const CRASHES: usize = 5;
const CLIENTS: usize = 16;

/// Kills Redis again and again while clients send. Each client repeats a send, with its key, until it succeeds.
async fn crash_again_and_again(fsync: &str) -> Audit {
    let mut random = fastrand::Rng::with_seed(seed());
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", fsync]);
    let confab = Arc::new(Confab::on(&redis).variable("redis_timeout_ms", 1000).start());
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
                    // Leave the processor to Redis, which is starting.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                };
                acknowledged.push(Acknowledged::new("a:b", text, receipt));
                answered.fetch_add(1, Ordering::Relaxed);
            }
            acknowledged
        });
    }
    for _ in 0..CRASHES {
        let enough = answered.load(Ordering::Relaxed) + random.usize(100..400);
        let sent = async || answered.load(Ordering::Relaxed) >= enough;
        until("clients have sent some messages more", sent).await;
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
async fn acknowledged_messages_survive_a_crash_if_redis_syncs_always() {
    crash_again_and_again("always").await.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_doubles_nothing_if_redis_syncs_every_second() {
    let audit = crash_again_and_again("everysec").await;
    // How many messages are lost depends on Redis. The number is printed.
    assert_eq!(audit.doubled, 0, "{audit}");
}
