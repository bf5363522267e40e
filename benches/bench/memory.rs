//! The memory that stored messages take.

use crate::fill::{self, Kind};
use crate::{Bench, MILLION};
use serde_json::{Value, json};

impl Bench {
    /// The memory that messages of 60 bytes take, compared with the original's sorted set. Later measurements read these chats.
    pub(crate) async fn memory(&self) -> Value {
        println!(
            "\nBytes of Redis's memory per message of 60 bytes\n{:>24} {:>10} {:>20}",
            "messages per chat", "confab", "original's sorted set"
        );
        let mut rows = Vec::new();
        for (purpose, chats, messages) in [("many", 100_000, 20), ("deep", 1, MILLION)] {
            self.step(&format!("filling {chats} chats with {messages} messages"));
            let run = self.run(purpose);
            let log = self.filled(Kind::Log, &run, chats, messages).await;
            let other = self.run("sorted");
            let sorted_set = self.filled(Kind::SortedSet, &other, chats, messages).await;
            fill::empty(&self.redis, &other).await;
            println!("{messages:>24} {log:>10.0} {sorted_set:>20.0}");
            rows.push(json!({ "messages_a_chat": messages, "chats": chats, "confab": log.round(), "sorted_set": sorted_set.round() }));
        }
        json!(rows)
    }

    async fn filled(&self, kind: Kind, run: &str, chats: usize, messages: usize) -> f64 {
        let before = self.memory_used().await;
        fill::fill(&self.redis, kind, run, chats, messages).await;
        (self.memory_used().await - before) as f64 / (chats * messages) as f64
    }

    /// The memory that Redis uses for its data, in bytes.
    pub(crate) async fn memory_used(&self) -> u64 {
        self.redis.info("memory").await.number("used_memory")
    }
}
