//! Many requests at once: nothing is lost, mixed up or leaked.

use confab_host::instances::REQUESTS_AT_ONCE;
use confab_kit::{Confab, Proxy, Redis, Traffic, until};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_sends_at_once_keep_every_message() {
    // It is not about time: on a busy machine, 300 at once take longer than the default timeout.
    let confab = Arc::new(Confab::anywhere().prefer("redis_timeout_ms", 15_000).start());
    assert_eq!(confab.epoch("a:b").await, 0);
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
            "the indexes have a gap or a duplicate"
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
async fn a_thousand_requests_share_instances_and_nothing_else() {
    let redis = Redis::start();
    let confab = Arc::new(Confab::start(&redis));
    let connections = async || redis.info("stats").await.number("total_connections_received");
    let before = connections().await;
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
                        "chat": chat, "text": text, "sender": name, "member": name, "send_time": receipt["send_time"], "index": round
                    }])
                );
            }
        });
    }
    clients.join_all().await;
    // INFO counts the connection that asks for it.
    let opened = connections().await - before - 1;
    let instances = u64::try_from(confab.instances()).unwrap();
    println!("1000 requests: {instances} instances, {opened} Redis connections");
    assert!(
        instances >= 1000_u64.div_ceil(128),
        "{instances} instances served more than 128 requests each"
    );
    assert!(instances <= 100, "{instances} instances are not reused");
    assert!(opened <= instances, "{opened} connections for {instances} instances");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_sends_sixteen_requests_to_redis_at_once() {
    let redis = Redis::start();
    let proxy = Proxy::start(&redis, Traffic::Forward);
    let confab = Arc::new(Confab::on(&proxy).variable("redis_timeout_ms", 20_000).start());
    // Redis knows both scripts from here on.
    confab.send_all("a:b", "a", ["hi"]).await;
    confab.pull(json!({ "chat": "a:b" })).await.ok();
    // If an instance waited for one reply before it sends the next script, the gate would never open.
    proxy.set(Traffic::Gate(REQUESTS_AT_ONCE));
    let mut instances = 0;
    let mut requests = JoinSet::new();
    for number in 0..REQUESTS_AT_ONCE {
        let shared = Arc::clone(&confab);
        requests.spawn(async move {
            if number % 6 == 0 {
                shared.send("a:b", "a", "hi").await.ok()
            } else {
                shared.pull(json!({ "chat": "a:b" })).await.ok()
            }
        });
        // The host gives an instance another request only if all that it has are waiting.
        let held = async || proxy.waiting() > number || number + 1 == REQUESTS_AT_ONCE;
        until("the proxy holds the script", held).await;
        if number == 0 {
            // The instance of the requests above, or another one if that has been idle for too long.
            instances = confab.instances();
        }
    }
    requests.join_all().await;
    assert_eq!(confab.instances(), instances);
}
