//! `make bench`: what requests cost beside the least that a component can do, and how that grows with stored and requested messages.
//!
//! It starts a redis-server and a host: confab-host, or the Spin at `BENCH_SPIN`. Or it measures a running confab at `BENCH_URL`,
//! whose Redis is at `REDIS_URL`, without its processor time. It prints tables, and writes the same figures as JSON. With
//! `BENCH_FLOOR` it measures only processor time. `REDIS_URL` alone is a node of a Redis Cluster, which it measures beside one Redis.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark fails by a panic"
)]

mod cluster;
mod fill;
mod floor;
mod following;
mod growth;
mod host;
mod inbox;
mod load;
mod memory;
mod rates;
mod requests;

use confab_kit::{Redis, component};
use fill::Kind;
use host::Host;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The messages of the longest chat.
const MILLION: usize = 1_000_000;

struct Bench {
    /// The confab that the benchmark started, if it did.
    own: Option<Host>,
    url: String,
    redis: Redis,
    /// Distinguishes this run's chats from those of others.
    run: String,
    started: Instant,
}

#[tokio::main]
async fn main() {
    if let (Err(_), Ok(url)) = (std::env::var("BENCH_URL"), std::env::var("REDIS_URL")) {
        let figures = cluster::measure(&url, &run()).await;
        return write(&figures.expect("REDIS_URL without BENCH_URL names a node of a Redis Cluster"));
    }
    let bench = Bench::start();
    let figures = bench.figures().await;
    // Requests that were under way when their load ended may still store something.
    while fill::empty(&bench.redis, &bench.run).await > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    write(&figures);
}

fn write(figures: &Value) {
    let file = component::project().join("target/bench.json");
    std::fs::write(&file, serde_json::to_vec_pretty(figures).unwrap()).unwrap();
    eprintln!("==> the same figures are in target/bench.json");
}

/// A word that distinguishes this run's chats from those of others.
fn run() -> String {
    format!("{:08x}", fastrand::u32(..))
}

impl Bench {
    fn start() -> Self {
        let (own, url, redis) = if let Ok(url) = std::env::var("BENCH_URL") {
            let redis = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into());
            (None, url, Redis::at(&redis))
        } else {
            let redis = Redis::start();
            let host = Host::start("spin.toml", &redis);
            let url = host.url();
            (Some(host), url, redis)
        };
        Self {
            own,
            url: url.trim_end_matches('/').into(),
            redis,
            run: run(),
            started: Instant::now(),
        }
    }

    async fn figures(&self) -> Value {
        let size = component::size();
        println!("The component has {size} bytes.");
        if std::env::var_os("BENCH_FLOOR").is_some() {
            fill::fill(&self.redis, Kind::Log, &self.run("deep"), 1, MILLION).await;
            return json!({ "component_bytes": size, "over_the_floor": self.over_the_floor().await });
        }
        json!({
            "component_bytes": size,
            // First, before the host has used any memory.
            "idle_followers": self.idle_followers().await,
            "send_to_event": self.send_to_event().await,
            "send_to_inbox_event": self.send_to_inbox_event().await,
            "memory": self.memory().await,
            "requests": self.requests().await,
            "over_the_floor": self.over_the_floor().await,
            "rates": self.rates(),
            "inboxes": self.inboxes().await,
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
