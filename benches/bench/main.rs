//! `make bench`: what requests cost, as ratios within one run, and how that grows with stored and requested messages.
//!
//! It starts a redis-server and a host. Or it measures a running confab at `BENCH_URL`, whose Redis is at `REDIS_URL`. It prints
//! tables, and writes the same figures as JSON.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark fails by a panic"
)]

mod fill;
mod following;
mod growth;
mod load;
mod memory;
mod rates;
mod requests;

use confab_kit::{Confab, Redis, component};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The messages of the longest chat.
const MILLION: usize = 1_000_000;

struct Bench {
    /// The confab that the benchmark started, if it did.
    own: Option<Confab>,
    url: String,
    redis: Redis,
    /// Distinguishes this run's chats from those of others.
    run: String,
    started: Instant,
}

#[tokio::main]
async fn main() {
    let bench = Bench::start();
    let figures = bench.all().await;
    // Requests that were under way when their load ended may still store something.
    while fill::empty(&bench.redis, &bench.run).await > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let file = component::project().join("target/bench.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&figures).unwrap()).unwrap();
    bench.step("the same figures are in target/bench.json");
}

impl Bench {
    fn start() -> Self {
        let (own, url, redis) = if let Ok(url) = std::env::var("BENCH_URL") {
            let redis = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into());
            (None, url, Redis::at(&redis))
        } else {
            let redis = Redis::start();
            let confab = Confab::start(&redis);
            let url = format!("http://{}", confab.host());
            (Some(confab), url, redis)
        };
        Self {
            own,
            url: url.trim_end_matches('/').into(),
            redis,
            run: format!("{:08x}", fastrand::u32(..)),
            started: Instant::now(),
        }
    }

    async fn all(&self) -> Value {
        let size = component::size();
        println!("The component has {size} bytes.");
        json!({
            "component_bytes": size,
            // First, before the host has used any memory.
            "idle_followers": self.idle_followers().await,
            "send_to_event": self.send_to_event().await,
            "memory": self.memory().await,
            "requests": self.requests().await,
            "rates": self.rates(),
            "cursor": self.by_cursor(),
            "page": self.by_page(),
            "chats": self.by_chats(),
            "many_connections": self.many_connections(),
            "slow_redis": self.slow_redis(),
        })
    }

    fn step(&self, what: &str) {
        eprintln!("==> {:>3} s: {what}", self.started.elapsed().as_secs());
    }

    /// The name of the chats for one purpose.
    fn run(&self, purpose: &str) -> String {
        format!("{}-{purpose}", self.run)
    }
}
