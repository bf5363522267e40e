//! Load, made by wrk.

use serde::{Deserialize, Serialize};
use std::process::Command;

/// What to request. The kinds are the functions of `kinds` in `load.lua`.
#[derive(Clone)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// The chats: those of [`chat`] in this run, from 1 to this number.
    pub(crate) run: String,
    pub(crate) chats: usize,
    /// The rest of a pull's query, after the chat.
    pub(crate) query: String,
    /// The bearer token of a send; empty for none.
    pub(crate) token: String,
}

impl Workload {
    pub(crate) fn new(name: &str, kind: &'static str, run: &str, chats: usize, query: &str) -> Self {
        Self {
            name: name.into(),
            kind,
            run: run.into(),
            chats,
            query: query.into(),
            token: String::new(),
        }
    }

    /// The same, with this bearer token.
    pub(crate) fn bearing(self, token: String) -> Self {
        Self { token, ..self }
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
    /// Answers with a status of 400 or above, broken connections, and answers that took longer than 2 s.
    pub(crate) errors: u64,
}

/// Requests the same for some seconds. Each connection sends the next request as soon as it has its answer.
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
            &workload.token,
        ])
        .output()
        .expect("wrk cannot be run; is it installed? (apt-get install wrk)");
    let printed = String::from_utf8_lossy(&wrk.stdout);
    let figures = printed.lines().rfind(|line| line.starts_with('{'));
    let figures = figures.unwrap_or_else(|| panic!("wrk: {printed}{}", String::from_utf8_lossy(&wrk.stderr)));
    serde_json::from_str(figures).unwrap()
}
