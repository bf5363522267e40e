//! What an earlier version stored is read by this one: each file in `tests/stored/` has the keys that a version left in Redis, and what
//! it answered over them. `stored_data/write.rs` makes the file of a new version.
//!
//! The keys are loaded without expiry: in the file they are older than any receipt or feed lives. So that confab looks for a receipt in
//! its bucket, the clock of the host is set to the time at which the file was made.

mod write;

use confab_kit::{Confab, Event, Follower, Redis, TestResponse, component::project};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a version stored, and what it answered.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: String,
    redis: String,
    /// When the data was made, in seconds since the Unix epoch.
    time: u64,
    /// What Redis's `DUMP` said of each key, in base64.
    keys: BTreeMap<String, String>,
    /// In this order: some change something.
    requests: Vec<Asked>,
    streams: Vec<Followed>,
}

/// A request, and the answer to it.
#[derive(Serialize, Deserialize)]
struct Asked {
    request: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    status: u16,
    replayed: bool,
    /// Of a problem, only its type.
    answer: Value,
}

/// A stream, and the first events of it.
#[derive(Serialize, Deserialize)]
struct Followed {
    path: String,
    last_event_id: String,
    events: Vec<Told>,
}

#[derive(Serialize, Deserialize)]
struct Told {
    name: String,
    id: String,
    data: Value,
}

impl From<Event> for Told {
    fn from(Event { name, id, data }: Event) -> Self {
        Self { name, id, data }
    }
}

/// A client of the API.
async fn ask(confab: &Confab, request: &str, body: Option<&Value>, key: Option<&str>) -> (u16, bool, Value) {
    let (method, path) = request.split_once(' ').unwrap();
    let mut building = confab.build(method.parse::<Method>().unwrap(), path);
    if let Some(body) = body {
        building = building.body(body.to_string());
    }
    if let Some(key) = key {
        building = building.header("idempotency-key", key);
    }
    let answer = TestResponse::to(building).await;
    let replayed = answer.header("idempotency-replayed") == "true";
    let body = answer.json();
    let body = if answer.status == 200 {
        body
    } else {
        json!({ "type": body["type"] })
    };
    (answer.status, replayed, body)
}

/// The first events of a stream, the opening left out.
async fn follow(confab: &Confab, path: &str, last_event_id: &str, count: usize) -> Vec<Told> {
    let mut follower = Follower::of(confab, path, Some(last_event_id));
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(follower.next().await.into());
    }
    events
}

/// Whether an answer says all that the one of an earlier version said. It may say more.
fn says(answer: &Value, earlier: &Value) -> bool {
    match (answer, earlier) {
        (Value::Object(answer), Value::Object(earlier)) => earlier
            .iter()
            .all(|(name, value)| answer.get(name).is_some_and(|answer| says(answer, value))),
        (Value::Array(answer), Value::Array(earlier)) => {
            answer.len() == earlier.len()
                && answer
                    .iter()
                    .zip(earlier)
                    .all(|(answer, earlier)| says(answer, earlier))
        }
        _ => answer == earlier,
    }
}

/// A confab over what is stored, on a host whose clock has that time.
async fn over(redis: &Redis, stored: &Stored) -> Confab {
    for (key, value) in &stored.keys {
        let value = write::decoded(value);
        redis
            .command::<()>([b"RESTORE", key.as_bytes(), b"0", &value[..], b"REPLACE"])
            .await;
    }
    let confab = Confab::start(redis);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    confab.set_clock(i64::try_from(stored.time).unwrap() - i64::try_from(now).unwrap());
    confab
}

fn files() -> Vec<Stored> {
    let folder = project().join("tests/stored");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    files.map(read).collect()
}

#[tokio::test]
async fn what_earlier_versions_stored_is_answered_as_they_did() {
    let all = files();
    for version in ["0.2.0", env!("CARGO_PKG_VERSION")] {
        assert!(all.iter().any(|stored| stored.version == version), "{version}");
    }
    for stored in all {
        let (version, redis) = (&stored.version, Redis::start());
        let confab = over(&redis, &stored).await;
        for followed in &stored.streams {
            let Followed {
                path,
                last_event_id,
                events,
            } = followed;
            let told = follow(&confab, path, last_event_id, events.len()).await;
            for (told, earlier) in told.iter().zip(events) {
                assert_eq!(
                    (&told.name, &told.id),
                    (&earlier.name, &earlier.id),
                    "{version}: {path}"
                );
                assert!(
                    says(&told.data, &earlier.data),
                    "{version}: {path}: {} is not {}",
                    told.data,
                    earlier.data
                );
            }
        }
        for asked in &stored.requests {
            let Asked { request, body, .. } = asked;
            let (status, replayed, answer) = ask(&confab, request, body.as_ref(), asked.key.as_deref()).await;
            assert_eq!(
                (status, replayed),
                (asked.status, asked.replayed),
                "{version}: {request} {body:?}: {answer}"
            );
            assert!(
                says(&answer, &asked.answer),
                "{version}: {request} {body:?}: {answer} is not {}",
                asked.answer
            );
        }
        println!(
            "{version}, by Redis {}: {} keys, {} requests and {} streams as then",
            stored.redis,
            stored.keys.len(),
            stored.requests.len(),
            stored.streams.len()
        );
    }
}

#[tokio::test]
async fn chats_of_earlier_versions_go_on() {
    for stored in files() {
        let (version, redis) = (&stored.version, Redis::start());
        let confab = over(&redis, &stored).await;
        for (chat, sender) in write::CHATS {
            let newest = json!({ "chat": chat, "reverse": true, "limit": 1 });
            let before = confab.pull(newest.clone()).await.ok();
            let sent = confab.send_keyed(chat, sender, "after", "after").await.ok();
            let now = confab.pull(newest).await.ok();
            assert_eq!(now["messages"][0]["text"], "after");
            match before["messages"].get(0) {
                Some(last) => {
                    let next = last["index"].as_u64().unwrap() + 1;
                    // A notice may stand between them.
                    assert!(sent["index"].as_u64().unwrap() >= next, "{version}: {chat}");
                    assert_eq!(now["epoch"], before["epoch"], "{version}: {chat}");
                }
                // It was emptied by hand, and begins anew.
                None => assert_eq!(sent["index"], 0, "{version}: {chat}"),
            }
            assert_eq!(
                confab.inbox(sender).await[0]["last"]["text"],
                "after",
                "{version}: {chat}"
            );
        }
    }
}
