//! Processor time per request: confab's, over the floor's.

use crate::Bench;
use crate::host::Host;
use crate::load::{self, Workload};
use confab_kit::token::{SECRET, claims, eddsa, hs256, public_keys};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Each figure is the least of so many rounds, the least disturbed. Each round measures every workload in turn.
const ROUNDS: usize = 8;
const SECONDS: usize = 1;
const CONNECTIONS: usize = 32;

/// The processor time that a request takes, in microseconds.
#[derive(Clone, Copy)]
struct Cost {
    host: f64,
    redis: f64,
}

impl Cost {
    fn least(self, other: Self) -> Self {
        Self {
            host: self.host.min(other.host),
            redis: self.redis.min(other.redis),
        }
    }
}

/// What is measured, and the floor for it, without and with a deadline.
struct Row<'a> {
    host: &'a Host,
    workload: Workload,
    floor: Option<[&'static str; 2]>,
}

const PING: [&str; 2] = ["PING", "PING, deadline"];
const BODY_AND_PING: [&str; 2] = ["body, PING", "body, PING, deadline"];

impl Bench {
    /// What requests cost the host and Redis, and how that compares with the least that answers a request of their kind.
    pub(crate) async fn over_the_floor(&self) -> Value {
        let Some(confab) = &self.own else {
            return Value::Null;
        };
        let floor = Host::start("benches/floor/spin.toml", &self.redis);
        let variables = [
            ("auth", "required"),
            ("auth_secret", SECRET),
            ("auth_keys", &public_keys()),
        ];
        let closed = Host::with("spin.toml", &self.redis, &variables);
        let limits = [("send_limit", "10000"), ("send_window_s", "1")];
        let limited = Host::with("spin.toml", &self.redis, &[&variables[..], &limits].concat());
        let rows = self.rows(confab, [&closed, &limited], &floor);
        let mut costs: HashMap<&str, Cost> = HashMap::new();
        for round in 1..=ROUNDS {
            self.step(&format!("confab and the floor, round {round} of {ROUNDS}"));
            for row in &rows {
                let cost = self.cost(row).await;
                let least = costs.entry(&row.workload.name).or_insert(cost);
                *least = least.least(cost);
            }
        }
        println!(
            "\nProcessor time per request, {CONNECTIONS} connections, the least of {ROUNDS} rounds\n{:>24} {:>9} {:>9} {:>14} {:>14} {:>14}",
            "", "host us", "Redis us", "of the floor", "with deadline", "Redis of PING"
        );
        let mut figures = serde_json::Map::new();
        for Row { workload, floor, .. } in &rows {
            let name = workload.name.as_str();
            let cost = costs[name];
            print!("{name:>24} {:>9.1} {:>9.1}", cost.host, cost.redis);
            let mut figure = json!({ "host_us": cost.host, "redis_us": cost.redis });
            if let Some(floor) = floor {
                let [without, with] = floor.map(|name| costs[name]);
                let (host, limited, redis) = (
                    cost.host / without.host,
                    cost.host / with.host,
                    cost.redis / without.redis,
                );
                print!(" {host:>14.2} {limited:>14.2} {redis:>14.2}");
                figure["of_floor"] = json!({ "host": host, "host_with_deadline": limited, "redis": redis });
            }
            println!();
            figures.insert(name.into(), figure);
        }
        Value::Object(figures)
    }

    fn rows<'a>(&self, confab: &'a Host, [closed, limited]: [&'a Host; 2], floor: &'a Host) -> [Row<'a>; 13] {
        let (load, deep) = (self.run("load"), self.run("deep"));
        let bare = |name, kind, path| Row {
            host: floor,
            workload: Workload::new(name, kind, &load, 200, path),
            floor: None,
        };
        let own = |name, kind, (run, chats, query): (&str, _, _), floor| Row {
            host: confab,
            workload: Workload::new(name, kind, run, chats, query),
            floor: Some(floor),
        };
        let known = |name, host, token| Row {
            host,
            workload: Workload::new(name, "send", &load, 200, "").bearing(token),
            floor: Some(BODY_AND_PING),
        };
        let claims = claims("b", 3600);
        let pull = |query| (deep.as_str(), 1, query);
        [
            bare("an answer", "get", "/"),
            bare("body", "post", "/body"),
            bare(PING[0], "get", "/ping"),
            bare(PING[1], "get", "/ping/deadline"),
            bare(BODY_AND_PING[0], "post", "/body/ping"),
            bare(BODY_AND_PING[1], "post", "/body/ping/deadline"),
            own("send", "send", (&load, 200, ""), BODY_AND_PING),
            known("send, HS256", closed, hs256(SECRET, &claims)),
            known("send, HS256, limit", limited, hs256(SECRET, &claims)),
            known("send, EdDSA", closed, eddsa(&claims)),
            own("keyed send", "keyed", (&load, 200, ""), BODY_AND_PING),
            own("pull of 10", "pull", pull("&cursor=500000"), PING),
            own("pull of 100", "pull", pull("&cursor=500000&limit=100"), PING),
        ]
    }

    /// What a request of this row costs now.
    async fn cost(&self, Row { host, workload, .. }: &Row<'_>) -> Cost {
        let before = (host.processor_time(), self.redis.processor_time().await);
        let rate = load::run(&host.url(), workload, CONNECTIONS, SECONDS);
        let after = (host.processor_time(), self.redis.processor_time().await);
        assert!(rate.errors == 0 && rate.requests > 0, "{}: {rate:?}", workload.name);
        let each = |before: u64, after: u64| (after - before) as f64 / rate.requests as f64;
        Cost {
            host: each(before.0, after.0),
            redis: each(before.1, after.1),
        }
    }
}
