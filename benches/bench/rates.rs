//! How many requests per second, and how long each takes.

use crate::Bench;
use crate::host::Host;
use crate::load::{self, Rate, Workload};
use confab_kit::{Fault, Proxy, Traffic};
use serde_json::{Value, json};
use std::time::Duration;

/// Each rate is the median of so many rounds. Each round measures every workload in turn.
const ROUNDS: usize = 3;
const SECONDS: usize = 2;
const CONNECTIONS: [usize; 3] = [1, 32, 256];
/// How late commands reach the slow Redis.
const LATE: Duration = Duration::from_millis(20);

impl Bench {
    pub(crate) fn rates(&self) -> Value {
        let (load, deep) = (self.run("load"), self.run("deep"));
        let workloads = [
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
            all.push(json!({ "connections": connections, "rates": self.compare(&workloads, connections, None) }));
        }
        json!(all)
    }

    /// Measures the workloads in turn. Prints the median of each, and its ratio to that of `base`, which is one of them.
    pub(crate) fn compare(&self, workloads: &[Workload], connections: usize, base: Option<usize>) -> Value {
        let of_base = base.map_or(String::new(), |base| format!("of {}", workloads[base].name));
        println!(
            "{:>24} {:>11} {:>9} {:>9} {:>7} {of_base:>9}",
            "", "requests/s", "p50 ms", "p99 ms", "errors"
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
            let ratio = base.map(|base| median_of(&|round| round[place].per_second / round[base].per_second));
            let (p50, p99) = (
                median_of(&|round| round[place].p50_ms),
                median_of(&|round| round[place].p99_ms),
            );
            let errors: u64 = rounds.iter().map(|round| round[place].errors).sum();
            let shown = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
            println!(
                "{:>24} {per_second:>11.0} {p50:>9.2} {p99:>9.2} {errors:>7} {shown:>9}",
                workload.name
            );
            let row =
                json!({ "per_second": per_second, "p50_ms": p50, "p99_ms": p99, "errors": errors, "ratio": ratio });
            rows.insert(workload.name.clone(), row);
        }
        Value::Object(rows)
    }

    pub(crate) fn many_connections(&self) -> Value {
        self.step("1,000 connections for 30 s");
        let rate = load::run(
            &self.url,
            &Workload::new("", "mix", &self.run("load"), 200, ""),
            1_000,
            30,
        );
        println!(
            "\n1,000 connections for 30 s, 1 send to 5 pulls: {} requests, {:.0}/s, p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms, {} errors",
            rate.requests, rate.per_second, rate.p50_ms, rate.p99_ms, rate.max_ms, rate.errors
        );
        json!(rate)
    }

    /// The same mix with a Redis that each command reaches late. An instance that waited for one reply before it sends the next
    /// command would serve no more than one request in that time.
    pub(crate) fn slow_redis(&self) -> Value {
        if self.own.is_none() {
            return Value::Null;
        }
        self.step("a Redis that is late");
        let proxy = Proxy::start(&self.redis, Traffic::Always(Fault::Delay(LATE)));
        let confab = Host::start("spin.toml", &proxy);
        let rate = load::run(
            &confab.url(),
            &Workload::new("", "mix", &self.run("load"), 200, ""),
            64,
            5,
        );
        println!(
            "\nRedis {} ms late, 64 connections, 1 send to 5 pulls: {:.0} requests/s, p50 {:.1} ms, {} errors",
            LATE.as_millis(),
            rate.per_second,
            rate.p50_ms,
            rate.errors
        );
        json!(rate)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
