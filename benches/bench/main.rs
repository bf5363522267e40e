//! `make bench`: what requests cost, as ratios within one run, and how that grows with what is stored and asked.
//!
//! It stands on a redis-server and a host of its own; or on `BENCH_URL`, a confab that runs already, and `REDIS_URL`, that
//! confab's Redis. It prints tables, and writes the same figures as JSON.

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
mod late;
mod live;
mod load;
#[path = "../../tests/e2e/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
mod support;

use fill::Kind;
use late::LateWire;
use load::{Rate, Workload, chat};
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use support::{Confab, Redis, app};

/// Each rate is the median of so many rounds, in each of which everything is measured in turn.
const ROUNDS: usize = 3;
const SECONDS: usize = 2;
const CONNECTIONS: [usize; 3] = [1, 32, 256];
const MILLION: usize = 1_000_000;

struct Bench {
    /// What the benchmark started itself.
    own: Option<(Redis, Confab)>,
    url: String,
    redis: MultiplexedConnection,
    /// Tells this run's chats from those of others.
    run: String,
    started: Instant,
}

#[tokio::main]
async fn main() {
    let mut bench = Bench::start().await;
    let figures = bench.all().await;
    // Requests that were under way when their load ended may store something yet.
    while fill::empty(&mut bench.redis, &bench.run).await > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&figures).unwrap()).unwrap();
    bench.step("the same figures are in target/bench.json");
}

impl Bench {
    async fn start() -> Self {
        let (own, url, redis) = if let Ok(url) = std::env::var("BENCH_URL") {
            let redis = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into());
            (None, url, redis)
        } else {
            let redis = Redis::start();
            let confab = Confab::start(&redis).await;
            let urls = (format!("http://{}", confab.host()), format!("redis://{}", redis.host()));
            (Some((redis, confab)), urls.0, urls.1)
        };
        let redis = redis::Client::open(redis).unwrap();
        let redis = redis.get_multiplexed_async_connection().await;
        Self {
            own,
            url: url.trim_end_matches('/').into(),
            redis: redis.expect("Redis is not there; name it with REDIS_URL"),
            run: format!("{:08x}", fastrand::u32(..)),
            started: Instant::now(),
        }
    }

    async fn all(&mut self) -> Value {
        let size = std::fs::metadata(&app(&[]).source).map_or(0, |file| file.len());
        println!("The component has {size} bytes.");
        json!({
            "component_bytes": size,
            // First, as what the host takes is told best before it has taken anything.
            "idle_followers": self.idle_followers().await,
            "send_to_event": self.send_to_event().await,
            "memory": self.memory().await,
            "requests": self.requests().await,
            "rates": self.rates(),
            "cursor": self.growth("the depth of the cursor", &self.by_cursor()),
            "page": self.growth("the size of the page", &self.by_page()),
            "chats": self.growth("the number of chats", &self.by_chats()),
            "many_connections": self.many_connections(),
            "slow_redis": self.slow_redis().await,
        })
    }

    fn step(&self, what: &str) {
        eprintln!("==> {:>3} s: {what}", self.started.elapsed().as_secs());
    }

    /// The name of the chats for one purpose.
    fn run(&self, purpose: &str) -> String {
        format!("{}-{purpose}", self.run)
    }

    /// The memory that messages of 60 bytes take, beside the original's sorted set. What it fills is what the rest asks for.
    async fn memory(&mut self) -> Value {
        println!(
            "\nBytes of Redis's memory a message of 60 bytes\n{:>24} {:>10} {:>20}",
            "messages a chat", "confab", "original's sorted set"
        );
        let mut rows = Vec::new();
        for (purpose, chats, messages) in [("many", 100_000, 20), ("deep", 1, MILLION)] {
            self.step(&format!("filling {chats} chats with {messages} messages"));
            let run = self.run(purpose);
            let log = self.filled(Kind::Log, &run, chats, messages).await;
            let other = self.run("sorted");
            let sorted_set = self.filled(Kind::SortedSet, &other, chats, messages).await;
            fill::empty(&mut self.redis, &other).await;
            println!("{messages:>24} {log:>10.0} {sorted_set:>20.0}");
            rows.push(json!({ "messages_a_chat": messages, "chats": chats, "confab": log.round(), "sorted_set": sorted_set.round() }));
        }
        json!(rows)
    }

    async fn filled(&mut self, kind: Kind, run: &str, chats: usize, messages: usize) -> f64 {
        let before = fill::memory(&mut self.redis).await;
        fill::fill(&mut self.redis, kind, run, chats, messages).await;
        (fill::memory(&mut self.redis).await - before) as f64 / (chats * messages) as f64
    }

    /// What one request of each kind asks of Redis.
    async fn requests(&mut self) -> Value {
        const TIMES: u64 = 20;
        self.step("counting what a request asks of Redis");
        println!(
            "\nA request\n{:>24} {:>12} {:>24}",
            "", "round trips", "commands within scripts"
        );
        let client = reqwest::Client::new();
        let mut rows = serde_json::Map::new();
        for (name, path, keyed) in [
            ("ping", "/ping".to_owned(), false),
            ("send", "/api/send".to_owned(), false),
            ("keyed send", "/api/send".to_owned(), true),
            (
                "pull of 10",
                format!("/api/pull?chat={}&cursor=500000", chat(&self.run("deep"), 1)),
                false,
            ),
        ] {
            let ask = async |number: u64| {
                let url = format!("{}{path}", self.url);
                let request = if path == "/api/send" {
                    client
                        .post(url)
                        .body(json!({ "chat": chat(&self.run("load"), 1), "sender": "b", "text": "hi" }).to_string())
                } else {
                    client.get(url)
                };
                let request = if keyed {
                    request.header("idempotency-key", format!("count-{number}"))
                } else {
                    request
                };
                let answer = request
                    .send()
                    .await
                    .expect("confab is not there; name it with BENCH_URL");
                assert!(answer.status().is_success(), "{name}: {answer:?}");
                let page = answer.text().await.unwrap();
                assert!(
                    name != "pull of 10" || page.contains(&format!("{:060}", 500_009)),
                    "{page}"
                );
            };
            // The first opens the connection, and tells Redis of the script.
            ask(0).await;
            let before = commands(&mut self.redis.clone()).await;
            for number in 1..=TIMES {
                ask(number).await;
            }
            let after = commands(&mut self.redis.clone()).await;
            let each = |count: fn(&(u64, u64)) -> u64| (count(&after) - count(&before)) as f64 / TIMES as f64;
            let (trips, within) = (each(|commands| commands.0), each(|commands| commands.1));
            println!("{name:>24} {trips:>12.2} {within:>24.2}");
            rows.insert(
                name.into(),
                json!({ "round_trips": trips, "commands_within_scripts": within }),
            );
        }
        Value::Object(rows)
    }

    fn rates(&self) -> Value {
        let (load, deep) = (self.run("load"), self.run("deep"));
        let workloads = [
            Workload::new("ping", "ping", "", 1, ""),
            Workload::new("send", "send", &load, 200, ""),
            Workload::new("keyed send", "keyed", &load, 200, ""),
            Workload::new("pull of 10, newest", "pull", &deep, 1, "&reverse=true"),
            Workload::new("pull of 10, deep", "pull", &deep, 1, "&cursor=500000"),
            Workload::new("pull of 100", "pull", &deep, 1, "&cursor=500000&limit=100"),
            Workload::new("1 send to 5 pulls", "mix", &load, 200, ""),
        ];
        let mut all = Vec::new();
        for connections in CONNECTIONS {
            println!("\n{connections} connections");
            all.push(json!({ "connections": connections, "rates": self.compare(&workloads, connections) }));
        }
        json!(all)
    }

    fn by_cursor(&self) -> Vec<Workload> {
        let deep = self.run("deep");
        let pull = |cursor: usize| Workload::new(&cursor.to_string(), "pull", &deep, 1, &format!("&cursor={cursor}"));
        [0, 1_000, 10_000, 100_000, 500_000, MILLION - 10].map(pull).into()
    }

    fn by_page(&self) -> Vec<Workload> {
        let deep = self.run("deep");
        let pull = |limit: usize| {
            Workload::new(
                &limit.to_string(),
                "pull",
                &deep,
                1,
                &format!("&cursor=500000&limit={limit}"),
            )
        };
        [1, 10, 100, 1_000].map(pull).into()
    }

    fn by_chats(&self) -> Vec<Workload> {
        let many = self.run("many");
        let of = |kind| move |chats: usize| (kind, chats);
        let pulls = [1, 100, 10_000, 100_000].map(of("pull"));
        let sends = [1, 100, 10_000, 100_000].map(of("send"));
        let workload =
            |(kind, chats): (&'static str, usize)| Workload::new(&format!("{kind}, {chats}"), kind, &many, chats, "");
        pulls.into_iter().chain(sends).map(workload).collect()
    }

    fn growth(&self, with: &str, workloads: &[Workload]) -> Value {
        println!("\nBy {with}, 32 connections");
        self.compare(workloads, 32)
    }

    /// Measures the workloads in turn, and prints the median of each beside its ratio to the first's.
    fn compare(&self, workloads: &[Workload], connections: usize) -> Value {
        println!(
            "{:>24} {:>11} {:>9} {:>9} {:>7} {:>9}",
            "",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "errors",
            format!("of {}", workloads[0].name)
        );
        let rounds: Vec<Vec<Rate>> = (1..=ROUNDS)
            .map(|round| {
                self.step(&format!(
                    "{} workloads at {connections} connections, round {round} of {ROUNDS}",
                    workloads.len()
                ));
                let one = |workload| load::run(&self.url, workload, connections, SECONDS);
                workloads.iter().map(one).collect()
            })
            .collect();
        let mut rows = serde_json::Map::new();
        for (place, workload) in workloads.iter().enumerate() {
            let median_of = |figure: &dyn Fn(&Vec<Rate>) -> f64| median(rounds.iter().map(figure).collect());
            let per_second = median_of(&|round| round[place].per_second);
            let ratio = median_of(&|round| round[place].per_second / round[0].per_second);
            let (p50, p99) = (
                median_of(&|round| round[place].p50_ms),
                median_of(&|round| round[place].p99_ms),
            );
            let errors: u64 = rounds.iter().map(|round| round[place].errors).sum();
            println!(
                "{:>24} {per_second:>11.0} {p50:>9.2} {p99:>9.2} {errors:>7} {ratio:>9.2}",
                workload.name
            );
            let row =
                json!({ "per_second": per_second, "p50_ms": p50, "p99_ms": p99, "errors": errors, "ratio": ratio });
            rows.insert(workload.name.clone(), row);
        }
        Value::Object(rows)
    }

    fn many_connections(&self) -> Value {
        self.step("1,000 connections for 60 s");
        let rate = load::run(
            &self.url,
            &Workload::new("", "mix", &self.run("load"), 200, ""),
            1_000,
            60,
        );
        println!(
            "\n1,000 connections for 60 s, 1 send to 5 pulls: {} requests, {:.0}/s, p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms, {} errors",
            rate.requests, rate.per_second, rate.p50_ms, rate.p99_ms, rate.max_ms, rate.errors
        );
        json!(rate)
    }
}

/// How late the slow Redis is told of a command.
const LATE: Duration = Duration::from_millis(20);

impl Bench {
    /// The same mix over a wire that holds each command back. An instance that waited for one reply before it sent the next
    /// command could not serve more than one request in that time.
    async fn slow_redis(&self) -> Value {
        let Some((redis, _)) = &self.own else {
            return Value::Null;
        };
        self.step("a Redis that is late");
        let wire = LateWire::start(redis.host(), LATE).await;
        let confab = Confab::with(&[("redis_host", wire.host())]).await;
        let url = format!("http://{}", confab.host());
        let rate = load::run(&url, &Workload::new("", "mix", &self.run("load"), 200, ""), 64, 5);
        println!(
            "\nRedis {} ms late, 64 connections, 1 send to 5 pulls: {:.0} requests/s, p50 {:.1} ms, {} errors, {} instances",
            LATE.as_millis(),
            rate.per_second,
            rate.p50_ms,
            rate.errors,
            confab.instances()
        );
        json!(rate)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How many scripts Redis has been asked to run, and how many commands they ran.
async fn commands(redis: &mut MultiplexedConnection) -> (u64, u64) {
    let info: String = redis::cmd("INFO").arg("commandstats").query_async(redis).await.unwrap();
    let calls = info.lines().filter_map(|line| {
        let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name, figures.split(',').next()?.parse::<u64>().ok()?))
    });
    let (mut scripts, mut within) = (0, 0);
    for (name, calls) in calls {
        match name {
            "eval" | "evalsha" => scripts += calls,
            // Those of the benchmark itself, and of a client that connects.
            "info" | "hello" | "client|setinfo" | "auth" => {}
            _ => within += calls,
        }
    }
    (scripts, within)
}
