//! What requests cost on a Redis Cluster beside one Redis, and what they would on one of more nodes.

use crate::host::Host;
use crate::load::{self, Rate, Workload};
use confab_kit::{Endpoint, Info, Redis};
use serde_json::{Value, json};

/// Each figure is the least of so many rounds. Each round measures every workload in turn.
const ROUNDS: usize = 5;
const SECONDS: usize = 2;
const CONNECTIONS: usize = 32;
const CHATS: usize = 200;

/// How many connections the benchmark opens to learn what one costs.
const OPENED: u64 = 2000;

/// How many primaries the costs are computed for.
const NODES: [f64; 2] = [10.0, 50.0];

/// How many requests an instance serves: Spin's default, and a raised `--max-instance-reuse-count`.
const REUSED: [f64; 2] = [128.0, 2048.0];

/// A confab, and the primaries of its Redis.
struct Place {
    confab: Host,
    primaries: Vec<Redis>,
}

/// What a request takes: microseconds of processor time, scripts, and new connections.
#[derive(Clone, Copy, Debug)]
struct Cost {
    host: f64,
    redis: f64,
    scripts: f64,
    connections: f64,
}

/// What the primaries have done so far.
struct Done {
    microseconds: u64,
    scripts: u64,
    connections: u64,
}

/// Measures the Cluster of which a node is at this URL; `None` if that is no Cluster.
pub(crate) async fn measure(url: &str, run: &str) -> Option<Value> {
    let node = Redis::at(url);
    if node.info("cluster").await.get("cluster_enabled") != Some("1") {
        return None;
    }
    let single = Redis::start();
    let places = [
        Place {
            confab: Host::start("spin.toml", &single),
            primaries: vec![single],
        },
        Place {
            confab: Host::with("spin.toml", &node, &[("redis_nodes", "redis://*:*")]),
            primaries: primaries(&node).await,
        },
    ];
    let nodes = places[1].primaries.len();
    println!(
        "\nOne Redis, and a Cluster of {nodes} primaries: per request, {CONNECTIONS} connections, the least of {ROUNDS} rounds\n{:>24} {:>9} {:>9} {:>9} {:>12} {:>9} {:>9}",
        "", "host us", "Redis us", "scripts", "connections", "p50 ms", "p99 ms"
    );
    let mut figures = serde_json::Map::new();
    for (name, kind) in [("send", "send"), ("keyed send", "keyed"), ("pull of 10", "pull")] {
        let workload = Workload::new(name, kind, run, CHATS, "");
        let mut least: [Option<(Cost, Rate)>; 2] = [None, None];
        for _ in 0..ROUNDS {
            for (place, least) in places.iter().zip(&mut least) {
                let cost = place.cost(&workload).await;
                if least.as_ref().is_none_or(|(least, _)| cost.0.host < least.host) {
                    *least = Some(cost);
                }
            }
        }
        let mut rows = Vec::new();
        for (what, (cost, rate)) in ["one Redis", "Cluster"].iter().zip(least.into_iter().flatten()) {
            let title = format!("{name}, {what}");
            let Cost {
                host,
                redis,
                scripts,
                connections,
            } = cost;
            println!(
                "{title:>24} {host:>9.1} {redis:>9.1} {scripts:>9.2} {connections:>12.4} {:>9.2} {:>9.2}",
                rate.p50_ms, rate.p99_ms
            );
            rows.push(json!({ "place": what, "host_us": host, "redis_us": redis, "scripts": scripts, "connections": connections, "rate": rate }));
        }
        figures.insert(name.into(), json!(rows));
    }
    let opening = opening(&places[0].primaries[0]).await;
    figures.insert("more_nodes".into(), more_nodes(nodes, opening));
    for primary in &places[1].primaries {
        empty(primary, run).await;
    }
    Some(Value::Object(figures))
}

/// Prints how many connections a send opens on more nodes, and what they add to it.
///
/// A send asks three nodes, each as likely as any other. An instance opens one connection to each node that it asks.
fn more_nodes(measured: usize, opening: f64) -> Value {
    println!(
        "\nA connection takes {opening:.0} us of processor time, both sides together. So a send on more nodes, computed:"
    );
    let opened = |nodes: f64, reused: f64| nodes * (1.0 - (1.0 - 1.0 / nodes).powf(3.0 * reused)) / reused;
    let base = opened(measured as f64, REUSED[0]);
    let mut rows = Vec::new();
    for nodes in NODES {
        for reused in REUSED {
            let connections = opened(nodes, reused);
            let more = (connections - base) * opening;
            println!(
                "{nodes:>6} nodes, instances of {reused:>5} requests: {connections:.3} connections a send, {more:>+7.1} us beside {measured} nodes"
            );
            rows.push(json!({ "nodes": nodes, "reused": reused, "connections": connections, "more_us": more }));
        }
    }
    json!({ "opening_us": opening, "rows": rows })
}

/// The processor time that a connection takes to open, here and in Redis.
async fn opening(redis: &Redis) -> f64 {
    let before = (crate::host::own_time(), redis.processor_time().await);
    for _ in 0..OPENED {
        drop(redis.connect().await);
    }
    let after = (crate::host::own_time(), redis.processor_time().await);
    (after.0 - before.0 + after.1 - before.1) as f64 / OPENED as f64
}

/// Removes this run's chats from a primary, one key at a time, as they are in many slots.
async fn empty(primary: &Redis, run: &str) {
    let mut remove = redis::pipe();
    for key in primary.keys(&format!("confab:{{bench-{run}*")).await {
        remove.del(key).ignore();
    }
    let () = remove.query_async(&mut primary.connect().await).await.unwrap();
}

/// The primaries that a node knows.
async fn primaries(node: &Redis) -> Vec<Redis> {
    let nodes: String = node.command(["CLUSTER", "NODES"]).await;
    let own = node.host();
    let address = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let address = words.next()?.split('@').next()?;
        let (host, port) = address.rsplit_once(':')?;
        // A node alone does not know its host.
        let host = if host.is_empty() { own.rsplit_once(':')?.0 } else { host };
        words
            .next()?
            .contains("master")
            .then(|| Redis::at(&format!("redis://{host}:{port}")))
    };
    nodes.lines().filter_map(address).collect()
}

impl Place {
    async fn cost(&self, workload: &Workload) -> (Cost, Rate) {
        let before = (self.confab.processor_time(), self.done().await);
        let rate = load::run(&self.confab.url(), workload, CONNECTIONS, SECONDS);
        let after = (self.confab.processor_time(), self.done().await);
        assert!(rate.errors == 0 && rate.requests > 0, "{}: {rate:?}", workload.name);
        let each = |before: u64, after: u64| (after - before) as f64 / rate.requests as f64;
        let ((before, was), (after, is)) = (before, after);
        let cost = Cost {
            host: each(before, after),
            redis: each(was.microseconds, is.microseconds),
            scripts: each(was.scripts, is.scripts),
            connections: each(was.connections, is.connections),
        };
        (cost, rate)
    }

    async fn done(&self) -> Done {
        let mut done = Done {
            microseconds: 0,
            scripts: 0,
            connections: 0,
        };
        for primary in &self.primaries {
            done.microseconds += primary.processor_time().await;
            let commands: Info = primary.info("commandstats").await;
            let scripts = commands.calls().filter(|(name, _)| name.starts_with("eval"));
            done.scripts += scripts.map(|(_, calls)| calls).sum::<u64>();
            // A handful of them are the benchmark's own.
            done.connections += primary.info("stats").await.number("total_connections_received");
        }
        done
    }
}
