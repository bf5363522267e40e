//! A part of a Cluster is away, primary and replica: an inbox has what can be read, and says that it is not all.

use confab_kit::{Cluster, Confab, Follower, log_key, numbers};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const AWAY: usize = 2;
const TIMEOUT: Duration = Duration::from_secs(1);

/// A Cluster, and a person with chats on each of its parts.
struct Divided {
    cluster: Cluster,
    confab: Confab,
    reader: String,
    /// The chats on the part that goes away, the newest first, and the others.
    away: Vec<String>,
    others: Vec<String>,
}

impl Divided {
    async fn start() -> Self {
        let cluster = Cluster::with(&["--cluster-require-full-coverage", "no"]).await;
        let confab = Confab::on_cluster(&cluster)
            .variable("redis_timeout_ms", TIMEOUT.as_millis())
            .variable("stream_heartbeat_s", 1)
            .start();
        let is_away = async |key: &str| cluster.owner(0, cluster.slot(key).await).await == AWAY;
        let mut reader = "r".to_owned();
        while is_away(&format!("confab:{{{reader}}}:inbox")).await {
            reader.push('r');
        }
        let (mut away, mut others) = (Vec::new(), Vec::new());
        for other in numbers(10..34) {
            let chat = format!("{other}:{reader}");
            confab.send(&chat, &other, "hi").await.ok();
            let chats = if is_away(&log_key(&chat)).await {
                &mut away
            } else {
                &mut others
            };
            chats.insert(0, chat);
        }
        assert!(!away.is_empty() && !others.is_empty());
        Self {
            cluster,
            confab,
            reader,
            away,
            others,
        }
    }

    fn hang(&self) {
        for node in [AWAY, AWAY + 3] {
            self.cluster.node(node).hang();
        }
    }

    fn resume(&self) {
        for node in [AWAY, AWAY + 3] {
            self.cluster.node(node).resume();
        }
    }

    fn follow(&self, id: Option<&str>) -> Follower {
        Follower::of_inbox(&self.confab, &format!("name={}&limit=100", self.reader), id)
    }

    /// Tells the followers of the inbox that a chat has changed.
    async fn ring(&self, chat: &str) {
        let feed = format!("confab:{{{}}}:feed", self.reader);
        let node = self.cluster.owner(0, self.cluster.slot(&feed).await).await;
        let ring = ["XADD", &feed, "NOMKSTREAM", "*", "chat", chat];
        self.cluster.node(node).command::<String>(ring).await;
    }
}

fn names(page: &Value) -> Vec<&str> {
    let chats = page["chats"].as_array().unwrap();
    chats.iter().map(|chat| chat["chat"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_what_can_be_read_within_the_time_for_redis_and_says_that_it_is_incomplete() {
    let divided = Divided::start().await;
    let query = format!("name={}&limit=10", divided.reader);
    let whole = divided.confab.inbox_by(&query).await.ok();
    assert_eq!((names(&whole).len(), whole.get("incomplete")), (10, None));
    divided.hang();
    let mut found = Vec::new();
    let mut before = String::new();
    loop {
        let began = Instant::now();
        let page = divided.confab.inbox_by(&format!("{query}{before}")).await.ok();
        let took = began.elapsed();
        assert!(took < TIMEOUT + Duration::from_millis(700), "{took:?}");
        let is_complete = took < TIMEOUT;
        assert_eq!(
            page.get("incomplete"),
            (!is_complete).then_some(&json!(true)),
            "{took:?}"
        );
        found.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page.get("next") else { break };
        before = format!("&before={}", next.as_str().unwrap());
    }
    assert_eq!(found, divided.others);
    divided.resume();
    divided.cluster.healthy().await;
    let page = divided.confab.inbox_by(&query).await.ok();
    assert_eq!(page, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_of_no_chat_that_it_is_gone_and_sends_it_once_it_can_be_read() {
    let divided = Divided::start().await;
    let (away, other) = (&divided.away[0], &divided.others[0]);
    let mut before = divided.follow(None);
    let whole = before.next().await;
    assert_eq!(names(&whole.data).len(), divided.away.len() + divided.others.len());
    divided.hang();
    divided.ring(away).await;
    divided.ring(other).await;
    let event = before.next().await;
    assert_eq!((&*event.name, &event.data["chat"]), ("chat", &json!(other)));
    // One that breaks off now must still learn of the other.
    assert_eq!(event.id, whole.id);

    let mut during = divided.follow(None);
    let page = during.next().await;
    assert_eq!((&*page.name, &page.data["incomplete"]), ("inbox", &json!(true)));
    assert_eq!(names(&page.data), divided.others);
    let again = divided.follow(Some(&page.id)).next().await;
    assert_eq!(
        (&*again.name, names(&again.data)),
        ("inbox", divided.others.iter().map(String::as_str).collect())
    );

    divided.resume();
    let event = before.next().await;
    assert_eq!((&*event.name, &event.data["chat"]), ("chat", &json!(away)));
    assert_ne!(event.id, whole.id);
    let mut owed = Vec::new();
    for _ in &divided.away {
        let event = during.next().await;
        assert_eq!(event.name, "chat");
        owed.push(event.data["chat"].as_str().unwrap().to_owned());
    }
    owed.sort();
    owed.reverse();
    assert_eq!(owed, divided.away);
    // Whoever has them all goes on from there.
    divided.cluster.healthy().await;
    divided.ring(other).await;
    let id = during.next().await.id;
    divided.ring(away).await;
    let event = divided.follow(Some(&id)).next().await;
    assert_eq!((&*event.name, &event.data["chat"]), ("chat", &json!(away)));
}
