//! A log that is begun anew, after a clock was set back, is at its own place in the inboxes of a Cluster, whatever comes late.

use confab_kit::{Cluster, Confab, log_key};
use serde_json::json;

const CHAT: &str = "a:b";
const HOUR: u64 = 3_600_000_000;

struct Divided {
    cluster: Cluster,
    confab: Confab,
}

impl Divided {
    async fn start() -> Self {
        let cluster = Cluster::start().await;
        let confab = Confab::on_cluster(&cluster).start();
        Self { cluster, confab }
    }

    async fn command<R: redis::FromRedisValue>(&self, key: &str, words: &[&str]) -> R {
        let owner = self.cluster.owner(0, self.cluster.slot(key).await).await;
        self.cluster.node(owner).command(words).await
    }

    async fn place(&self, name: &str) -> u64 {
        let inbox = format!("confab:{{{name}}}:inbox");
        self.command(&inbox, &["ZSCORE", &inbox, CHAT]).await
    }

    async fn put(&self, name: &str, time: u64) {
        let (inbox, time) = (format!("confab:{{{name}}}:inbox"), time.to_string());
        self.command::<()>(&inbox, &["ZADD", &inbox, &time, CHAT]).await;
    }

    async fn lose_the_log(&self) {
        let log = log_key(CHAT);
        self.command::<()>(&log, &["DEL", &log]).await;
    }

    async fn send(&self, key: &str) -> u64 {
        let sent = self.confab.send_keyed(CHAT, "a", "hi", key).await.ok();
        sent["send_time"].as_u64().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_begun_anew_leaves_the_place_of_the_lost_one() {
    let divided = Divided::start().await;
    let old = divided.send("old").await;
    divided.lose_the_log().await;
    // As the clock was an hour ahead.
    for name in ["a", "b"] {
        divided.put(name, old + HOUR).await;
    }
    let first = divided.send("first").await;
    assert!(first < old + HOUR);
    for name in ["a", "b"] {
        assert_eq!(divided.place(name).await, first, "{name}");
        assert_eq!(
            divided.confab.inbox_chat(name, CHAT).await["last"]["send_time"],
            json!(first)
        );
    }
    let second = divided.send("second").await;
    assert_eq!((divided.place("a").await, divided.place("b").await), (second, second));
    // The first message once more, as a late touch would come: a later one keeps its place.
    assert_eq!(divided.send("first").await, first);
    assert_eq!((divided.place("a").await, divided.place("b").await), (second, second));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_the_first_message_repairs_a_place_that_it_did_not_reach() {
    let divided = Divided::start().await;
    let first = divided.send("first").await;
    let second = divided.send("second").await;
    // The host died after it had appended the first message, and the second did not move the place of the lost log.
    for name in ["a", "b"] {
        divided.put(name, second + HOUR).await;
    }
    assert_eq!(divided.send("second").await, second);
    assert_eq!(divided.place("a").await, second + HOUR);
    assert_eq!(divided.send("first").await, first);
    assert_eq!((divided.place("a").await, divided.place("b").await), (second, second));
}
