//! How the cost of requests grows with the cursor, the page and the number of chats.

use crate::load::Workload;
use crate::{Bench, MILLION};
use serde_json::Value;

impl Bench {
    /// Pulls of 10, by their cursor.
    pub(crate) fn by_cursor(&self) -> Value {
        let deep = self.run("deep");
        let pull = |cursor: usize| Workload::new(&cursor.to_string(), "pull", &deep, 1, &format!("&cursor={cursor}"));
        let cursors = [0, 1_000, 10_000, 100_000, 500_000, MILLION - 10];
        self.growth("the cursor", &cursors.map(pull))
    }

    /// Pulls by the size of their page.
    pub(crate) fn by_page(&self) -> Value {
        let deep = self.run("deep");
        let query = |limit: usize| format!("&cursor=500000&limit={limit}");
        let pull = |limit: usize| Workload::new(&limit.to_string(), "pull", &deep, 1, &query(limit));
        self.growth("the size of the page", &[1, 10, 100, 1_000].map(pull))
    }

    /// Pulls, then sends, by the number of chats that they are spread over.
    pub(crate) fn by_chats(&self) -> Value {
        let many = self.run("many");
        let workload = |kind, chats| Workload::new(&format!("{kind}, {chats}"), kind, &many, chats, "");
        let numbers = [1, 100, 10_000, 100_000];
        let pulls = numbers.map(|chats| workload("pull", chats));
        let sends = numbers.map(|chats| workload("send", chats));
        self.growth("the number of chats", &[pulls, sends].concat())
    }

    fn growth(&self, with: &str, workloads: &[Workload]) -> Value {
        println!("\nBy {with}, 32 connections");
        self.compare(workloads, 32, Some(0))
    }
}
