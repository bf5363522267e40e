//! Keyed load on the chats of every node of a Cluster, and what became of it.

use confab_kit::{Acknowledged, Audit, Confab, until};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// The chats of the load, one for each client.
pub(crate) const CHATS: [&str; 12] = [
    "0:x", "1:x", "2:x", "3:x", "4:x", "5:x", "6:x", "7:x", "8:x", "9:x", "10:x", "11:x",
];

/// Clients that send to chats of every node, and repeat each send, with its key, until it succeeds.
pub(crate) struct Load {
    clients: JoinSet<Vec<Acknowledged>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    acknowledged: AtomicUsize,
    refused: AtomicUsize,
    over: AtomicBool,
}

impl Load {
    pub(crate) fn start(confab: &Arc<Confab>) -> Self {
        let mut load = Self {
            clients: JoinSet::new(),
            counts: Arc::default(),
        };
        for chat in CHATS {
            let (confab, counts) = (Arc::clone(confab), Arc::clone(&load.counts));
            load.clients.spawn(async move {
                let mut acknowledged = Vec::new();
                while !counts.over.load(Ordering::Relaxed) {
                    let text = acknowledged.len().to_string();
                    let answer = confab.send_keyed(chat, "x", &text, &text).await;
                    if answer.status == 200 {
                        acknowledged.push(Acknowledged::new(chat, text, answer.json()));
                        counts.acknowledged.fetch_add(1, Ordering::Relaxed);
                    } else {
                        assert_eq!(answer.problem(), (503, Value::Null), "{}", confab.log());
                        counts.refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
                acknowledged
            });
        }
        load
    }

    /// Waits until so many more sends are acknowledged.
    pub(crate) async fn more(&self, count: usize) {
        grows("more is sent", &self.counts.acknowledged, count).await;
    }

    /// Waits until so many more sends are refused.
    pub(crate) async fn more_refused(&self, count: usize) {
        grows("more is refused", &self.counts.refused, count).await;
    }

    /// Ends the load, and prints and returns what became of what was acknowledged.
    pub(crate) async fn stop(self, confab: &Confab, what: &str) -> Audit {
        self.counts.over.store(true, Ordering::Relaxed);
        let acknowledged = self.clients.join_all().await.concat();
        let audit = Audit::of(confab, &acknowledged).await;
        let refused = self.counts.refused.load(Ordering::Relaxed);
        println!("{what}: {audit}, {refused} refused");
        audit
    }
}

async fn grows(what: &str, count: &AtomicUsize, by: usize) {
    let enough = count.load(Ordering::Relaxed) + by;
    until(what, async || count.load(Ordering::Relaxed) >= enough).await;
}
