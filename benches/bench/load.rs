//! Load, made by wrk.

use serde::{Deserialize, Serialize};
use std::process::Command;

/// What to ask for. The kinds are the functions of `kinds` in `load.lua`.
#[derive(Clone)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// Which chats: those of [`chat`] of this run, from 1 to this number.
    pub(crate) run: String,
    pub(crate) chats: usize,
    /// What a pull's query has after the chat.
    pub(crate) query: String,
}

impl Workload {
    pub(crate) fn new(name: &str, kind: &'static str, run: &str, chats: usize, query: &str) -> Self {
        Self {
            name: name.into(),
            kind,
            run: run.into(),
            chats,
            query: query.into(),
        }
    }
}

/// A chat of a run.
pub(crate) fn chat(run: &str, number: usize) -> String {
    format!("bench-{run}-{number}:b")
}

/// What wrk measured.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Rate {
    pub(crate) requests: u64,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    /// Answers with a status of 400 and above, broken connections, and answers that took longer than 2 s.
    pub(crate) errors: u64,
}

/// Asks over and over for some seconds, each connection again as soon as it is answered.
pub(crate) fn run(url: &str, workload: &Workload, connections: usize, seconds: usize) -> Rate {
    let threads = connections.min(2);
    let wrk = Command::new("wrk")
        .args([
            format!("-t{threads}"),
            format!("-c{connections}"),
            format!("-d{seconds}s"),
        ])
        .args(["--timeout", "2s", "--script"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/bench/load.lua"))
        .args([
            url,
            "--",
            workload.kind,
            &workload.chats.to_string(),
            &workload.query,
            &workload.run,
        ])
        .output()
        .expect("wrk cannot be run; is it installed? (apt-get install wrk)");
    let printed = String::from_utf8_lossy(&wrk.stdout);
    let figures = printed.lines().rfind(|line| line.starts_with('{'));
    let figures = figures.unwrap_or_else(|| panic!("wrk: {printed}{}", String::from_utf8_lossy(&wrk.stderr)));
    serde_json::from_str(figures).unwrap()
}
