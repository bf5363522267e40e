//! A message is taken back: by its sender or by the service, for everybody, once and for ever.

use confab_kit::token::{SECRET, claims, hs256, token};
use confab_kit::{Confab, Follower, Redis, TestResponse, log_key, numbers};
use reqwest::Method;
use serde_json::{Value, json};

/// An open confab, and one that knows who calls, on one Redis.
pub(crate) fn start(redis: &Redis) -> (Confab, Confab) {
    let closed = Confab::on(redis).variable("auth", "required");
    (Confab::start(redis), closed.variable("auth_secret", SECRET).start())
}

pub(crate) fn service() -> String {
    let mut claims = claims("backend", 60);
    claims["scope"] = json!("confab:service");
    hs256(SECRET, &claims)
}

/// Sends `POST /api/delete` of this message of a pull.
pub(crate) async fn delete(confab: &Confab, token: &str, chat: &str, message: &Value, epoch: &Value) -> TestResponse {
    let body = json!({ "chat": chat, "epoch": epoch, "index": message["index"], "send_time": message["send_time"] });
    let request = confab.build(Method::POST, "/api/delete").bearer_auth(token);
    TestResponse::to(request.body(body.to_string())).await
}

/// Deletes the messages of these indexes, as the service.
pub(crate) async fn delete_all(open: &Confab, closed: &Confab, chat: &str, indexes: &[u64]) {
    for index in indexes {
        let page = open
            .pull(json!({ "chat": chat, "cursor": index, "limit": 1 }))
            .await
            .ok();
        assert_eq!(page["messages"][0]["index"], *index);
        delete(closed, &service(), chat, &page["messages"][0], &page["epoch"])
            .await
            .ok();
    }
}

pub(crate) fn indexes(page: &Value) -> Vec<u64> {
    let messages = page["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["index"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn only_its_sender_or_the_service_takes_a_message_back() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    open.send("alice:bob", "ALICE", "from alice").await.ok();
    open.send("alice:bob", "bob", "from bob").await.ok();
    let page = open.pull(json!({ "chat": "alice:bob" })).await.ok();
    let (of_alice, of_bob, epoch) = (&page["messages"][0], &page["messages"][1], &page["epoch"]);
    for (token, message, status, field) in [
        (token("bob"), of_alice, 403, "index"),
        (token("carol"), of_alice, 403, "chat"),
        (token("alice"), of_bob, 403, "index"),
    ] {
        let answer = delete(&confab, &token, "alice:bob", message, epoch).await;
        assert_eq!(answer.problem(), (status, json!(field)));
    }
    let anybody = delete(&open, "x", "alice:bob", of_alice, epoch).await;
    assert_eq!(anybody.problem(), (403, Value::Null));
    assert!(anybody.json()["detail"].as_str().unwrap().contains("auth"));
    assert_eq!(
        open.texts(json!({ "chat": "alice:bob" })).await,
        ["from alice", "from bob"]
    );
    // In any spelling, and said again.
    for _ in 0..2 {
        let done = delete(&confab, &token("Alice"), "BOB:alice", of_alice, epoch)
            .await
            .ok();
        assert_eq!(done, json!({ "deleted": true }));
    }
    assert_eq!(open.texts(json!({ "chat": "alice:bob" })).await, ["from bob"]);
    delete(&confab, &service(), "alice:bob", of_bob, epoch).await.ok();
    assert_eq!(open.texts(json!({ "chat": "alice:bob" })).await, [""; 0]);
    assert_eq!(redis.command::<usize>(["XLEN", &log_key("alice:bob")]).await, 2);
}

#[tokio::test]
async fn what_names_no_message_deletes_none() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    open.send_all("a:b", "a", numbers(0..4)).await;
    let page = open.pull(json!({ "chat": "a:b" })).await.ok();
    let (epoch, time) = (&page["epoch"], &page["messages"][1]["send_time"]);
    let post = async |body: Value| {
        let request = confab.build(Method::POST, "/api/delete").bearer_auth(token("a"));
        TestResponse::to(request.body(body.to_string())).await
    };
    let with = |name: &str, value: Value| {
        let mut body = json!({ "chat": "a:b", "epoch": epoch, "index": 1, "send_time": time });
        body[name] = value;
        body
    };
    for (body, status, field) in [
        (with("index", json!(2)), 409, "index"),
        (with("send_time", json!(time.as_u64().unwrap() + 1)), 409, "index"),
        (with("index", json!(4)), 410, "epoch"),
        (with("epoch", json!(17)), 410, "epoch"),
        (with("epoch", json!(0)), 400, "epoch"),
        (with("epoch", Value::Null), 400, "epoch"),
        (with("index", json!(-1)), 400, "index"),
        (with("index", json!(u64::MAX)), 400, "index"),
        (with("index", Value::Null), 400, "index"),
        (with("send_time", Value::Null), 400, "send_time"),
        (with("send_time", json!("1")), 400, "send_time"),
        (with("chat", json!("a")), 400, "chat"),
        (with("chat", Value::Null), 400, "chat"),
        (with("chat", json!("a:c")), 410, "epoch"),
    ] {
        assert_eq!(post(body.clone()).await.problem(), (status, json!(field)), "{body}");
    }
    assert_eq!(redis.keys("*:holes").await, [""; 0]);
    post(with("index", json!(1))).await.ok();
    // A notice is no message, and cannot be taken back.
    let log: Vec<(String, Vec<String>)> = redis.command(["XRANGE", &log_key("a:b"), "-", "+"]).await;
    let (_, notice) = log.last().unwrap();
    let mut body = with("index", json!(4));
    body["send_time"] = json!(notice[0].parse::<u64>().unwrap());
    assert_eq!(post(body).await.problem(), (409, json!("index")));
    assert_eq!(open.texts(json!({ "chat": "a:b" })).await, ["0", "2", "3"]);
}

#[tokio::test]
async fn a_follower_receives_the_deletion_in_its_place_of_the_order() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    open.send_all("a:b", "a", ["0", "1"]).await;
    let mut follower = Follower::start(&open, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(2).await, [0, 1]);
    let page = open.pull(json!({ "chat": "a:b" })).await.ok();
    let (message, epoch) = (&page["messages"][0], &page["epoch"]);
    delete(&confab, &token("a"), "a:b", message, epoch).await.ok();
    open.send_all("a:b", "b", ["3"]).await;
    let deleted = follower.next().await;
    assert_eq!(deleted.name, "deleted");
    let expected = json!({ "epoch": epoch, "index": 0, "send_time": message["send_time"], "by": "a" });
    assert_eq!(deleted.data, expected);
    assert!(deleted.id.starts_with(&format!("{epoch}-2-")), "{}", deleted.id);
    assert_eq!(follower.next().await.index(), 3);
    // Who was away receives it by a stream and by a pull, and who begins does not miss what never was.
    let position = page["position"].as_str().unwrap();
    let mut away = Follower::start(&open, "chat=a:b", Some(position));
    assert_eq!(away.next().await.data, expected);
    let after = open
        .pull(json!({ "chat": "a:b", "after": position, "wait": 5 }))
        .await
        .ok();
    let told = json!([{ "index": 0, "send_time": message["send_time"], "by": "a" }]);
    assert_eq!((&after["deleted"], indexes(&after)), (&told, vec![3]));
    // By the service: nobody's name.
    delete(&confab, &service(), "a:b", &page["messages"][1], epoch)
        .await
        .ok();
    assert_eq!(follower.next().await.data.get("by"), None);
    let after = open
        .pull(json!({ "chat": "a:b", "after": after["position"] }))
        .await
        .ok();
    assert_eq!((indexes(&after), after["deleted"][0].get("by")), (Vec::new(), None));
    assert_eq!(
        open.pull(json!({ "chat": "a:b", "after": after["position"] }))
            .await
            .ok()
            .get("deleted"),
        None
    );
}

#[tokio::test]
async fn a_new_follower_sees_no_gap_where_messages_were_deleted() {
    let redis = Redis::start();
    let (open, confab) = start(&redis);
    open.send_all("a:b", "a", numbers(0..8)).await;
    delete_all(&open, &confab, "a:b", &[3, 4, 6]).await;
    let mut follower = Follower::start(&open, "chat=a:b&cursor=0", None);
    let mut names = Vec::new();
    for _ in 0..8 {
        let event = follower.next().await;
        names.push(match event.name.as_str() {
            "message" => event.index().to_string(),
            other => format!("{other} {}", event.data["index"]),
        });
    }
    assert_eq!(names, ["0", "1", "2", "5", "7", "deleted 3", "deleted 4", "deleted 6"]);
    // What was removed by hand is a gap, as ever.
    let epoch = open.epoch("a:b").await;
    redis
        .command::<()>(["XDEL", &log_key("a:b"), &format!("{epoch}-5")])
        .await;
    let mut follower = Follower::start(&open, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(3).await, [0, 1, 2]);
    let gap = follower.next().await;
    assert_eq!(
        (gap.name.as_str(), gap.data),
        ("gap", json!({ "from": 3, "first_index": 7 }))
    );
}
