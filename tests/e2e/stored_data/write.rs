//! Writes the file of stored data of this version: `cargo test --workspace --test e2e stored_data::write -- --ignored`. A version's file
//! is made once, when it is released, and then never changes.

use super::{Asked, Followed, Stored, ask, follow};
use crate::delete::{delete_all, start};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_kit::{Confab, Follower, Redis, component::project, log_key, numbers};
use serde_json::json;
use std::collections::BTreeMap;

/// The chats, each with a member who may send.
pub(super) const CHATS: [(&str, &str); 6] = [
    ("alice:bob", "alice"),
    ("Ὀδυσσεύς:小明", "小明"),
    ("%7B:{}", "{}"),
    ("alice:alice", "alice"),
    ("emptied:alice", "alice"),
    ("data:alice", "data"),
];

pub(super) fn decoded(value: &str) -> Vec<u8> {
    STANDARD.decode(value).unwrap()
}

/// The positions and the id that clients have from then.
struct Clients {
    position: String,
    epoch: u64,
    trimmed: String,
    inbox: String,
}

/// Makes one of everything that is stored.
async fn fill(redis: &Redis, confab: &Confab) -> Clients {
    confab.send_keyed("alice:bob", "Alice", "hi", "first").await.ok();
    let texts = ["Zażółć gęślą jaźń 🦀", "removed by hand", "\u{1} : \"\n\u{2028}"];
    confab.send_all("Bob:ALICE", "alice", &texts[..1]).await;
    confab.send_keyed("alice:bob", "alice", texts[1], "removed").await.ok();
    let position = async |chat: &str| {
        let page = confab.pull(json!({ "chat": chat, "limit": 2 })).await.ok();
        page["position"].as_str().unwrap().to_owned()
    };
    let old = position("alice:bob").await;
    let mark = json!({ "chat": "alice:bob", "name": "bob", "position": old });
    confab.read(mark).await.ok();
    confab.send_all("alice:bob", "BOB", ["ho", texts[2]]).await;

    let other = "Ὀδυσσεύς:小明";
    confab.send_keyed(other, "ὈΔΥΣΣΕΎΣ", "trimmed", "trimmed").await.ok();
    confab.send_all(other, "小明", numbers(1..6)).await;
    let trimmed = position(other).await;
    let [log] = &redis.keys("*%E5*:log").await[..] else {
        panic!("there is not one log of names beyond ASCII");
    };
    let removed: u64 = redis.command(["XTRIM", log, "MAXLEN", "2"]).await;
    assert_eq!(removed, 4);
    confab.send_all("{}:%7B", "%7b", ["{}"]).await;
    confab.send_all("alice:alice", "alice", ["a note"]).await;
    confab.send_all("emptied:alice", "alice", ["gone"]).await;
    redis
        .command::<()>(["XTRIM", &log_key("alice:emptied"), "MAXLEN", "0"])
        .await;

    // Data, what was set, and a deletion.
    let data = json!({ "type": "photo", "n": [1, { "a": null }] });
    confab.send_data("data:alice", "Data", &data, &["data"]).await.ok();
    confab.send_all("data:alice", "data", ["taken back", "\u{85}"]).await;
    let settings = json!({ "chat": "data:alice", "name": "alice", "muted": true, "blocked": false });
    confab.set(settings).await.ok();
    delete_all(confab, &start(redis).1, "data:alice", &[1]).await;

    let epoch = confab.epoch("alice:bob").await;
    redis
        .command::<()>(["XDEL", &log_key("alice:bob"), &format!("{epoch}-2")])
        .await;
    // While somebody follows, there is a feed.
    let inbox = Follower::of_inbox(confab, "name=bob", None).next().await.id;
    confab.send_all("alice:bob", "alice", ["to a follower"]).await;
    Clients {
        position: old,
        epoch,
        trimmed,
        inbox,
    }
}

/// The keys of a chat or of a person. Receipts without an idempotency key are left out: nobody can ask for them.
async fn dumped(redis: &Redis) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    for key in redis.keys("*").await {
        if !key.contains(":sent:64:") {
            let value: Vec<u8> = redis.command(["DUMP", &key]).await;
            keys.insert(key, STANDARD.encode(value));
        }
    }
    keys
}

#[tokio::test]
#[ignore = "it writes the file of this version"]
async fn the_data_of_this_version() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let clients = fill(&redis, &confab).await;
    let mut stored = Stored {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        redis: redis.info("server").await.get("redis_version").unwrap().to_owned(),
        time: redis.time().await / 1_000_000,
        keys: dumped(&redis).await,
        requests: Vec::new(),
        streams: Vec::new(),
    };
    let Clients {
        position,
        epoch,
        trimmed,
        inbox,
    } = clients;
    for (path, last_event_id, count) in [
        ("/api/stream?chat=alice:bob", &position, 4),
        ("/api/stream?chat=Ὀδυσσεύς:小明", &trimmed, 3),
        ("/api/inbox/stream?name=bob", &inbox, 1),
    ] {
        stored.streams.push(Followed {
            path: path.to_owned(),
            last_event_id: last_event_id.clone(),
            events: follow(&confab, path, last_event_id, count).await,
        });
    }
    let pulls = [
        "chat=alice:bob&limit=100".to_owned(),
        "chat=BOB:alice&limit=2&reverse=true&cursor=1".to_owned(),
        format!("chat=alice:bob&cursor=1&epoch={epoch}"),
        format!("chat=alice:bob&after={position}"),
        format!("chat=Ὀδυσσεύς:小明&after={trimmed}"),
        "chat=%257B:%7B%7D".to_owned(),
        "chat=alice:alice".to_owned(),
        "chat=emptied:alice".to_owned(),
        "chat=data:alice".to_owned(),
        "chat=data:alice&after=0".to_owned(),
    ];
    let inboxes = ["alice", "bob", "ὀδυσσεύς", "小明", "%257B", "emptied", "data"];
    let mut requests: Vec<_> = pulls.map(|query| (format!("GET /api/pull?{query}"), None, None)).into();
    requests.extend(inboxes.map(|name| (format!("GET /api/inbox?name={name}"), None, None)));
    for (chat, sender, text, key) in [
        ("alice:bob", "alice", "hi", "first"),
        ("bob:alice", "ALICE", "removed by hand", "removed"),
        ("小明:ὀδυσσεύς", "Ὀδυσσεύς", "trimmed", "trimmed"),
        ("alice:bob", "alice", "another text", "first"),
    ] {
        let body = json!({ "chat": chat, "sender": sender, "text": text });
        requests.push(("POST /api/send".to_owned(), Some(body), Some(key.to_owned())));
    }
    for position in ["0", &position] {
        let body = json!({ "chat": "alice:bob", "name": "bob", "position": position });
        requests.push(("POST /api/read".to_owned(), Some(body), None));
    }
    let body = json!({ "chat": "alice:bob", "name": "bob", "index": 5 });
    requests.push(("POST /api/read".to_owned(), Some(body), None));
    requests.push(("GET /api/inbox?name=bob".to_owned(), None, None));
    for (request, body, key) in requests {
        let (status, replayed, answer) = ask(&confab, &request, body.as_ref(), key.as_deref()).await;
        stored.requests.push(Asked {
            request,
            body,
            key,
            status,
            replayed,
            answer,
        });
    }
    let file = project().join(format!("tests/stored/{}.json", stored.version));
    std::fs::write(file, serde_json::to_string_pretty(&stored).unwrap() + "\n").unwrap();
}
