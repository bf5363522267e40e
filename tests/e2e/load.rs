//! Many requests at once: nothing is lost, mixed up or leaked, and Redis is asked no more than it must be.

use crate::support::{Confab, Follower, GatedWire, Redis, program, until};
use confab_host::instances::REQUESTS_AT_ONCE;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_sends_at_once_keep_every_message() {
    let redis = Redis::start();
    let confab = Arc::new(Confab::start(&redis).await);
    let mut sends = JoinSet::new();
    for number in 0..300 {
        let confab = Arc::clone(&confab);
        sends.spawn(async move {
            let text = number.to_string();
            let receipt = confab.send("a:b", "a", &text).await.ok();
            (
                receipt["index"].as_u64().unwrap(),
                receipt["send_time"].as_u64().unwrap(),
                text,
            )
        });
    }
    let mut sent = sends.join_all().await;
    sent.sort_unstable();
    let page = confab.pull(json!({ "chat": "a:b", "limit": 1000 })).await.ok();
    let stored: Vec<_> = page["messages"].as_array().unwrap().iter().collect();
    assert_eq!(stored.len(), 300);
    let mut last_time = 0;
    for (place, ((index, time, text), message)) in sent.iter().zip(stored).enumerate() {
        assert_eq!(
            *index,
            u64::try_from(place).unwrap(),
            "the indexes have a gap or a double"
        );
        assert_eq!(
            (&message["index"], &message["send_time"]),
            (&json!(index), &json!(time))
        );
        assert_eq!(message["text"], json!(text));
        assert!(*time > last_time, "{time} is not after {last_time}");
        last_time = *time;
    }
    let texts: HashSet<_> = sent.iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts.len(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_share_instances_but_nothing_else() {
    let redis = Redis::start();
    let confab = Arc::new(Confab::start(&redis).await);
    let connections = redis.connections().await;
    let mut clients = JoinSet::new();
    for client in 0..20 {
        let confab = Arc::clone(&confab);
        clients.spawn(async move {
            let (chat, name) = (format!("c{client}:x"), format!("c{client}"));
            for round in 0..25 {
                let text = format!("{client} says {round}");
                let receipt = confab.send(&chat, &name, &text).await.ok();
                assert_eq!(receipt["index"], round);
                let page = confab.pull(json!({ "chat": chat, "cursor": round })).await.ok();
                assert_eq!(
                    page["messages"],
                    json!([{
                        "chat": chat, "text": text, "sender": name, "send_time": receipt["send_time"], "index": round
                    }])
                );
            }
        });
    }
    clients.join_all().await;
    // INFO counts the connection that asks for it.
    let opened = redis.connections().await - connections - 1;
    let instances = u64::try_from(confab.instances()).unwrap();
    println!("1000 requests: {instances} instances, {opened} Redis connections");
    assert!(
        instances >= 1000_u64.div_ceil(128),
        "{instances} instances served more than 128 requests each"
    );
    assert!(instances <= 100, "{instances} instances: they are not reused");
    assert!(opened <= instances, "{opened} connections for {instances} instances");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_has_sixteen_requests_under_way_at_redis_at_once() {
    let redis = Redis::start();
    let wire = GatedWire::start(redis.host()).await;
    let confab = Confab::with(&[("redis_host", wire.host()), ("redis_timeout_ms", "20000")]).await;
    let confab = Arc::new(confab);
    confab
        .send_all("a:b", "a", ["an instance is there, and its connection is open"])
        .await;
    // Were the instance to wait for one reply before it sends the next script, the gate would never open.
    wire.close_until(REQUESTS_AT_ONCE);
    let mut requests = JoinSet::new();
    for number in 0..REQUESTS_AT_ONCE {
        let confab = Arc::clone(&confab);
        requests.spawn(async move {
            if number % 6 == 0 {
                confab.send("a:b", "a", "hi").await.ok()
            } else {
                confab.pull(json!({ "chat": "a:b" })).await.ok()
            }
        });
        // The host gives an instance the next request when it waits for something else with all that it has.
        while wire.waiting() <= number && number + 1 < REQUESTS_AT_ONCE {
            tokio::task::yield_now().await;
        }
    }
    requests.join_all().await;
    assert_eq!(confab.instances(), 1);
}

#[tokio::test]
async fn a_request_is_one_redis_round_trip_or_none() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    // The first of each kind, on an empty Redis: its connection is opened, and its script is new to Redis.
    confab.send("a:b", "a", "hi").await.ok();
    confab.pull(json!({ "chat": "a:b" })).await.ok();
    let mut monitor = redis.monitor().await;
    let mut cost = async |what: &str, expected: &[&str]| {
        let commands = monitor.commands().await;
        let asked: Vec<_> = commands.iter().filter(|command| *command != "CLIENT").collect();
        assert_eq!(asked, expected, "{what}");
    };
    confab.send("a:b", "a", "hi").await.ok();
    cost("send", &["EVALSHA"]).await;
    confab.send("new:chat", "new", "hi").await.ok();
    cost("send to a new chat", &["EVALSHA"]).await;
    for what in ["keyed send", "keyed send again"] {
        confab.send_keyed("a:b", "a", "hi", "k").await.ok();
        cost(what, &["EVALSHA"]).await;
    }
    confab.pull(json!({ "chat": "a:b" })).await.ok();
    cost("pull", &["EVALSHA"]).await;
    confab
        .pull(json!({ "chat": "a:b", "reverse": true, "cursor": 1, "before": 9 }))
        .await
        .ok();
    cost("reverse pull", &["EVALSHA"]).await;
    confab.pull(json!({ "chat": "nobody:here" })).await.ok();
    cost("pull of an empty chat", &["EVALSHA"]).await;
    confab.get("/ping").await.ok();
    cost("ping", &[]).await;
    confab.send("a:b", "c", "hi").await.problem();
    confab.get("/api/pull?chat=x").await.problem();
    cost("refused requests", &[]).await;
}

#[tokio::test]
async fn a_followed_message_costs_its_follower_two_round_trips() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    confab.send_all("a:b", "a", ["hi"]).await;
    let mut follower = Follower::start(&confab, "chat=a:b", None).opened().await;
    let waiting = async || redis.blocked().await == 1;
    until("it waits", waiting).await;
    let mut monitor = redis.monitor().await;
    for _ in 0..3 {
        confab.send_all("a:b", "a", ["hi"]).await;
        follower.next().await;
        until("it waits again", waiting).await;
        let asked = monitor.commands().await;
        let asked: Vec<_> = asked
            .iter()
            .filter(|name| !["CLIENT", "INFO"].contains(&name.as_str()))
            .collect();
        // The send, and then the follower's: what is new, and to wait for more.
        assert_eq!(asked, ["EVALSHA", "EVALSHA", "XREAD"]);
    }
}

#[test]
fn the_component_is_small() {
    program();
    let size = std::fs::metadata(&crate::support::app(&[]).source).unwrap().len();
    println!("the component has {size} bytes");
    assert!(size < 400_000, "{size} bytes");
}
