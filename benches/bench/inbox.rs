//! What inboxes cost: a page by the number of chats, a mark, and the time from a send to its event.

use crate::Bench;
use crate::load::Workload;
use futures::StreamExt;
use futures::future::join_all;
use reqwest_eventsource::{Event, EventSource};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const FEW: usize = 20;
const MANY: usize = 1000;
const CONNECTIONS: usize = 32;
const SENDS: usize = 100;

impl Bench {
    /// Pages of 20 chats of people with few and with many, and marks that move half of the time.
    pub(crate) async fn inboxes(&self) -> Value {
        self.step(&format!("filling inboxes of {FEW} and {MANY} chats"));
        for chats in [FEW, MANY] {
            self.fill_inbox(&self.person(chats), chats).await;
        }
        println!("\nInboxes, {CONNECTIONS} connections");
        let page = |chats: usize| {
            let query = format!("/api/inbox?name={}", self.person(chats));
            Workload::new(&format!("inbox of {chats} chats"), "get", "", 1, &query)
        };
        let read = Workload::new("read", "read", &self.run("deep"), 1, "");
        self.compare(&[page(FEW), page(MANY), read], CONNECTIONS, Some(0))
    }

    /// From a send's answer to the event in the inbox of the one to whom it is sent.
    pub(crate) async fn send_to_inbox_event(&self) -> Value {
        self.step("from a send to its event in an inbox");
        let name = self.person(0);
        let mut stream = EventSource::get(format!("{}/api/inbox/stream?name={name}", self.url));
        let client = reqwest::Client::new();
        let mut latencies = Vec::new();
        // The first is the whole page.
        while latencies.len() <= SENDS {
            let answered = Instant::now();
            let arrived = loop {
                match stream.next().await.unwrap() {
                    Ok(Event::Message(event)) if event.event != "problem" => break Instant::now(),
                    Ok(_) => {}
                    Err(why) => panic!("{why}"),
                }
            };
            latencies.push((arrived - answered).as_secs_f64() * 1000.0);
            tokio::time::sleep(Duration::from_millis(20)).await;
            let body = json!({ "chat": format!("{name}:b"), "sender": "b", "text": "hi" });
            let send = client.post(format!("{}/api/send", self.url)).body(body.to_string());
            assert!(send.send().await.unwrap().status().is_success());
        }
        let mut latencies = latencies.split_off(1);
        latencies.sort_by(f64::total_cmp);
        let at = |percent: usize| latencies[latencies.len() * percent / 100];
        println!(
            "\nFrom a send's answer to its event in an inbox: p50 {:.2} ms, p99 {:.2} ms",
            at(50),
            at(99)
        );
        json!({ "p50_ms": at(50), "p99_ms": at(99) })
    }

    /// A person of this run with so many chats.
    fn person(&self, chats: usize) -> String {
        format!("bench-{}-{chats}-chats", self.run)
    }

    async fn fill_inbox(&self, name: &str, chats: usize) {
        let client = reqwest::Client::new();
        let numbers: Vec<_> = (1..=chats).collect();
        for some in numbers.chunks(50) {
            let sends = some.iter().map(|number| {
                let other = format!("bench-{}-{number}", self.run);
                let body = json!({ "chat": format!("{name}:{other}"), "sender": other, "text": "x".repeat(60) });
                client
                    .post(format!("{}/api/send", self.url))
                    .body(body.to_string())
                    .send()
            });
            for answer in join_all(sends).await {
                assert!(answer.unwrap().status().is_success());
            }
        }
    }
}
