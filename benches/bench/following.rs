//! What following costs: the time from a send to its event, and the resources of idle followers.

use crate::Bench;
use crate::host::Host;
use crate::load::{self, Workload, chat};
use confab_kit::until;
use futures::StreamExt;
use reqwest_eventsource::{Event, EventSource};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const FOLLOWERS: usize = 10;
const SENDS: usize = 100;
const IDLE_FOLLOWERS: usize = 500;

impl Bench {
    /// From a send's answer to each follower's event: with pauses between the sends, and without.
    pub(crate) async fn send_to_event(&self) -> Value {
        self.step("from a send to its event");
        println!(
            "\nFrom a send's answer to its event, {FOLLOWERS} followers of one chat\n{:>24} {:>9} {:>9}",
            "", "p50 ms", "p99 ms"
        );
        let mut rows = serde_json::Map::new();
        for (name, pause) in [("a send every 50 ms", 50), ("one send after another", 0)] {
            let chat = chat(&self.run(&format!("live{pause}")), 1);
            let mut latencies = self.latencies(&chat, Duration::from_millis(pause)).await;
            latencies.sort_by(f64::total_cmp);
            let at = |percent: usize| latencies[latencies.len() * percent / 100];
            println!("{name:>24} {:>9.2} {:>9.2}", at(50), at(99));
            rows.insert(name.into(), json!({ "p50_ms": at(50), "p99_ms": at(99) }));
        }
        Value::Object(rows)
    }

    /// In milliseconds; below zero if the event came before the answer.
    async fn latencies(&self, chat: &str, pause: Duration) -> Vec<f64> {
        let (received, mut events) = mpsc::unbounded_channel();
        // They leave when this is dropped.
        let mut followers = JoinSet::new();
        for _ in 0..FOLLOWERS {
            let mut stream = EventSource::get(format!("{}/api/stream?chat={chat}", self.url));
            assert_eq!(stream.next().await.unwrap().unwrap(), Event::Open);
            let received = received.clone();
            followers.spawn(async move {
                while let Some(Ok(Event::Message(event))) = stream.next().await {
                    let data: Value = serde_json::from_str(&event.data).unwrap();
                    let text = data["text"].as_str().unwrap();
                    received.send((text.parse::<usize>().unwrap(), Instant::now())).unwrap();
                }
            });
        }
        // Now the end of all streams is the end of the events too.
        drop(received);
        let client = reqwest::Client::new();
        let mut answered = Vec::new();
        for number in 0..SENDS {
            let body = json!({ "chat": chat, "sender": "b", "text": number.to_string() });
            let send = client.post(format!("{}/api/send", self.url)).body(body.to_string());
            assert!(send.send().await.unwrap().status().is_success());
            answered.push(Instant::now());
            tokio::time::sleep(pause).await;
        }
        let mut latencies = Vec::new();
        while latencies.len() < SENDS * FOLLOWERS {
            let (number, at): (usize, Instant) = events.recv().await.expect("the streams have ended");
            let late = at.saturating_duration_since(answered[number]);
            let early = answered[number].saturating_duration_since(at);
            latencies.push((late.as_secs_f64() - early.as_secs_f64()) * 1000.0);
        }
        latencies
    }

    /// What idle followers cost, and how much they slow down others.
    pub(crate) async fn idle_followers(&self) -> Value {
        self.step(&format!("{IDLE_FOLLOWERS} followers of chats in which nothing happens"));
        let sends = Workload::new("", "send", &self.run("load"), 200, "");
        let alone = load::run(&self.url, &sends, 32, 3);
        let blocked = self.redis.blocked().await;
        let memory = || self.own.as_ref().map_or(0, Host::memory);
        let (host_before, redis_before) = (memory(), self.memory_used().await);
        let mut followers = Vec::new();
        for number in 0..IDLE_FOLLOWERS {
            followers.push(follow(&self.url, &chat(&self.run("idle"), number)).await);
        }
        let all_wait = async || self.redis.blocked().await >= blocked + IDLE_FOLLOWERS;
        until("every follower waits", all_wait).await;
        let (host, redis) = (memory(), self.memory_used().await);
        let beside = load::run(&self.url, &sends, 32, 3);
        let kilobytes = |now: u64, before: u64| now.saturating_sub(before) as f64 / 1000.0 / IDLE_FOLLOWERS as f64;
        let (host, redis) = (kilobytes(host, host_before), kilobytes(redis, redis_before));
        let ratio = beside.per_second / alone.per_second;
        println!(
            "\n{IDLE_FOLLOWERS} idle followers: each takes a Redis connection, and {redis:.0} kB of Redis's memory"
        );
        if self.own.is_some() {
            println!("and {host:.0} kB of the host's memory");
        }
        println!(
            "sends beside them: {:.0}/s, {ratio:.2} of the rate without them",
            beside.per_second
        );
        json!({
            "followers": IDLE_FOLLOWERS, "redis_kilobytes_each": redis, "host_kilobytes_each": self.own.as_ref().map(|_| host),
            "sends_beside_ratio": ratio,
        })
    }
}

/// A follower that costs almost nothing itself: a connection on which the stream has begun.
async fn follow(url: &str, chat: &str) -> TcpStream {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /api/stream?chat={chat} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut begun, mut buffer) = (Vec::new(), [0; 512]);
    while !begun.windows(5).any(|window| window == b"retry") {
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "a stream is refused: {}", String::from_utf8_lossy(&begun));
        begun.extend_from_slice(&buffer[..length]);
    }
    stream
}
