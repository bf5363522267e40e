//! An event stream: what was missed, then what comes, once and in order, over as many streams as it takes.

use confab_kit::{Confab, Fault, Follower, Proxy, Redis, TestResponse, Traffic, numbers};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// confab with a heartbeat of one second, if possible.
fn start() -> Confab {
    Confab::anywhere().prefer("stream_heartbeat_s", 1).start()
}

/// The raw bytes of a stream, from its start until they contain this text.
async fn raw_until(confab: &Confab, query: &str, text: &str) -> String {
    let mut answer = confab.stream(query).await;
    let mut sent = String::new();
    let read = async {
        while !sent.contains(text) {
            let chunk = answer.chunk().await.unwrap().expect("the stream has ended");
            sent.push_str(str::from_utf8(&chunk).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .unwrap_or_else(|_| panic!("timed out waiting until the stream has {text:?}"));
    sent
}

/// A time to come back between 0.5 and 1.5 s, without a blank line: some readers report one as an empty event.
fn assert_retry(line: &str) {
    let milliseconds = line.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix('\n'));
    let milliseconds: u64 = milliseconds.unwrap_or_else(|| panic!("{line:?}")).parse().unwrap();
    assert!((500..=1500).contains(&milliseconds), "{line:?}");
}

#[tokio::test]
async fn a_stream_is_server_sent_events_that_nothing_may_cache() {
    let confab = start();
    confab.send_all("a:b", "a", ["one\ntwo"]).await;
    let message = confab.pull(json!({ "chat": "A:b" })).await.ok();
    let (epoch, data) = (&message["epoch"], &message["messages"][0]);

    let mut get = confab.stream("chat=A:b&cursor=0").await;
    let head = confab.request(Method::HEAD, "/api/stream?chat=A:b&cursor=0", "").await;
    assert_eq!((get.status().as_u16(), head.status), (200, 200));
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(
            (&get.headers()[name], head.header(name)),
            (&value.parse().unwrap(), value)
        );
    }
    let first = get.chunk().await.unwrap().unwrap();
    assert_retry(str::from_utf8(&first).unwrap());

    let sent = raw_until(&confab, "chat=A:b&cursor=0", "one").await;
    let (retry, events) = sent.split_at(sent.find("event: ").unwrap());
    assert_retry(retry);
    let (open, event) = events.split_at(events.find("\n\n").unwrap() + 2);
    assert_eq!(
        open,
        format!("event: open\nid: 0\ndata: {{\"epoch\":{epoch},\"position\":\"0\"}}\n\n")
    );
    let (id, event) = event.split_once('\n').unwrap();
    assert_eq!(id, format!("id: {epoch}-0-{}", data["send_time"]));
    let written = event.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
    assert_eq!(&serde_json::from_str::<Value>(written).unwrap(), data);
}

#[tokio::test]
async fn a_silent_stream_has_a_heartbeat() {
    let confab = Confab::anywhere().variable("stream_heartbeat_s", 1).start();
    let sent = raw_until(&confab, "chat=a:b", "\n:\n:\n").await;
    let (retry, _) = sent.split_at(sent.find("event: open\n").unwrap());
    assert_retry(retry);
    assert!(sent.ends_with("\n\n:\n:\n"), "{sent:?}");
}

#[tokio::test]
async fn a_follower_receives_what_it_missed_and_then_what_comes() {
    let confab = start();
    // More than one read returns.
    confab.send_all("a:b", "a", numbers(0..250)).await;
    for (query, first) in [
        ("chat=a:b&cursor=0", 0),
        ("chat=B:A&cursor=249", 249),
        ("chat=a:b&cursor=250", 250),
    ] {
        let before = confab
            .pull(json!({ "chat": "a:b", "reverse": true, "limit": 1 }))
            .await
            .ok();
        let last = before["messages"][0]["index"].as_u64().unwrap();
        let mut follower = Follower::start(&confab, query, None);
        let missed: Vec<_> = (first..=last).collect();
        assert_eq!(follower.indexes(missed.len()).await, missed, "{query}");
        confab.send_all("a:b", "b", ["more", "and more"]).await;
        let coming: Vec<_> = (last + 1..=last + 2).collect();
        assert_eq!(follower.indexes(2).await, coming, "{query}");
    }
}

#[tokio::test]
async fn without_a_cursor_a_stream_begins_with_the_next_message() {
    let redis = Redis::start();
    // The stream's host reaches Redis late, when it asks where the stream begins. Messages are sent through another host.
    let late = Fault::Delay(Duration::from_millis(50));
    let proxy = Proxy::start(&redis, Traffic::Always(late));
    let slow = Confab::start(&proxy);
    let confab = Confab::start(&redis);
    for (chat, first) in [("new:chat", 0), ("old:chat", 3)] {
        confab.send_all(chat, "chat", numbers(0..first)).await;
        for index in first..first + 10 {
            // A message that is sent as soon as the stream has begun is in the stream.
            let mut follower = Follower::start(&slow, &format!("chat={chat}"), None).opened().await;
            confab.send_all(chat, "chat", ["now"]).await;
            assert_eq!(follower.next().await.index(), index);
        }
    }
}

#[tokio::test]
async fn a_stream_continues_after_the_last_event_id_whatever_the_query_says() {
    let confab = start();
    confab.send_all("a:b", "a", numbers(0..5)).await;
    let position = confab.pull(json!({ "chat": "a:b", "limit": 3 })).await.ok()["position"].clone();
    let position = position.as_str().unwrap();
    for query in ["chat=a:b", "chat=a:b&cursor=0", "chat=a:b&cursor=1&epoch=5"] {
        let mut follower = Follower::start(&confab, query, Some(position));
        assert_eq!(follower.indexes(2).await, [3, 4], "{query}");
    }
    // From clients that cannot set headers.
    for name in ["lastEventId", "after"] {
        let query = format!("chat=a:b&cursor=0&{name}={position}");
        let mut follower = Follower::start(&confab, &query, None);
        assert_eq!(follower.indexes(2).await, [3, 4], "{name}");
    }
}

#[tokio::test]
async fn an_event_source_continues_when_a_stream_ends_itself() {
    let confab = Confab::anywhere().variable("stream_lifetime_s", 1).start();
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    let mut index = 0;
    while follower.connected < 4 {
        confab.send_all("a:b", "a", ["hi"]).await;
        assert_eq!(follower.next().await.index(), index);
        index += 1;
    }
    println!("{index} messages over {} streams of one second", follower.connected);
}

#[tokio::test]
async fn a_wrong_request_for_a_stream_is_refused() {
    let confab = start();
    for (query, id, field) in [
        ("", None, json!("chat")),
        ("chat=a", None, json!("chat")),
        ("chat=a:b&cursor=-1", None, json!("cursor")),
        ("chat=a:b&cursor=x", None, json!("cursor")),
        ("chat=a:b&cursor=1&epoch=x", None, json!("epoch")),
        ("chat=a:b&chat=a:c", None, json!("chat")),
        ("chat=a:b&after=0&after=0", None, json!("after")),
        ("chat=a", Some("0"), json!("chat")),
    ] {
        let mut request = confab.build(Method::GET, &format!("/api/stream?{query}"));
        if let Some(id) = id {
            request = request.header("last-event-id", id);
        }
        let answer = TestResponse::to(request).await;
        assert_eq!(answer.problem(), (400, field), "{query} {id:?}");
    }
    let twice = confab.build(Method::GET, "/api/stream?chat=a:b");
    let twice = twice.header("last-event-id", "1-1").header("last-event-id", "1-2");
    let answer = TestResponse::to(twice).await;
    assert_eq!(answer.problem(), (400, json!("Last-Event-ID")));
    let answer = confab.request(Method::POST, "/api/stream?chat=a:b", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
}
