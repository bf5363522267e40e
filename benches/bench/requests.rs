//! What one request takes: round trips, and commands within scripts.

use crate::Bench;
use crate::load::chat;
use confab_kit::Redis;
use serde_json::{Value, json};

impl Bench {
    /// How many round trips one request of each kind takes, and how many commands its script runs.
    pub(crate) async fn requests(&self) -> Value {
        const TIMES: u64 = 20;
        self.step("counting the commands of a request");
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
            // The first opens the connection and loads the script.
            ask(0).await;
            let before = commands(&self.redis).await;
            for number in 1..=TIMES {
                ask(number).await;
            }
            let after = commands(&self.redis).await;
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
}

/// How many scripts Redis has run, and how many commands they ran.
async fn commands(redis: &Redis) -> (u64, u64) {
    let info = redis.info("commandstats").await;
    let (mut scripts, mut within) = (0, 0);
    for (name, calls) in info.calls() {
        match name {
            "eval" | "evalsha" => scripts += calls,
            // Commands of the benchmark, and of a client that connects.
            "info" | "hello" | "client|setinfo" | "auth" => {}
            _ => within += calls,
        }
    }
    (scripts, within)
}
