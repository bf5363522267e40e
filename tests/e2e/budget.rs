//! The time that a request may take in all: a body that does not come, a wait, a hung Redis, a reader that is slow.

use confab_kit::{Confab, Redis, numbers, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const POST: &str = "POST /api/send HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";

/// How much later than its time something may come on a busy machine.
const SLACK: Duration = Duration::from_millis(1500);

/// Longer than any answer of these tests may take.
const LONGEST: Duration = Duration::from_secs(15);

/// Sends a part of a request, and later another one. Returns the status, the body and how long it took.
async fn answer(confab: &Confab, parts: [&str; 2], pause: Duration) -> (String, Value, Duration) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(confab.host()).await.unwrap();
    stream.write_all(parts[0].as_bytes()).await.unwrap();
    tokio::time::sleep(pause).await;
    stream.write_all(parts[1].as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    _ = tokio::time::timeout(LONGEST, read)
        .await
        .expect("no answer came")
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    (status, serde_json::from_str(body).unwrap(), began.elapsed())
}

fn within(took: Duration, least: Duration) {
    assert!(took >= least && took < least + SLACK, "{took:?}, not {least:?}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408_after_ten_seconds_or_the_request_s_time() {
    let redis = Redis::start();
    let short = Confab::on(&redis).variable("request_timeout_ms", 1000).start();
    let default = Confab::start(&redis);
    let silent = format!("{POST}content-length: 60\r\n\r\n{{\"chat\":");
    let chunked = format!("{POST}transfer-encoding: chunked\r\n\r\n5\r\n{{\"cha\r\n");
    let too_large = format!("{POST}content-length: 600000\r\n\r\n{{\"chat\":");
    let pull = "GET /api/pull HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 60\r\n\r\n";
    let late = async |confab: &Confab, request: &str, seconds: u64| {
        let (status, problem, took) = answer(confab, [request, ""], Duration::ZERO).await;
        assert_eq!(
            (&*status, &problem["type"]),
            ("408", &json!("/problems/slow-body")),
            "{request}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("within {seconds}000 ms")), "{detail}");
        within(took, Duration::from_secs(seconds));
    };
    let each = async {
        for request in [&silent, &chunked, &too_large, pull] {
            late(&short, request, 1).await;
        }
    };
    tokio::join!(each, late(&default, &silent, 10));
    assert_eq!(redis.keys("*").await, Vec::<String>::new());
    assert_eq!([short.log(), default.log()], ["", ""]);
}

#[tokio::test]
async fn a_slow_body_leaves_less_time_for_redis() {
    let redis = Redis::start();
    let confab = Confab::on(&redis)
        .variable("request_timeout_ms", 2000)
        .variable("redis_timeout_ms", 1900)
        .start();
    let body = json!({ "chat": "a:b", "text": "hi", "sender": "a" }).to_string();
    let head = format!("{POST}content-length: {}\r\n\r\n", body.len());
    let pause = Duration::from_millis(1200);
    let (status, sent, took) = answer(&confab, [&head, &body], pause).await;
    assert_eq!((&*status, &sent["index"]), ("200", &json!(0)));
    within(took, pause);
    redis.hang();
    let (status, problem, took) = answer(&confab, [&head, &body], pause).await;
    assert_eq!((&*status, &problem["stored"]), ("503", &Value::Null));
    within(took, Duration::from_secs(2));
    assert!(took < Duration::from_millis(2900), "{took:?}");
    redis.resume();
}

#[tokio::test]
async fn a_wait_ends_in_time_if_redis_hangs_meanwhile() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..2)).await;
    let began = Instant::now();
    let waiting = confab.get("/api/pull?chat=a:b&cursor=2&wait=3");
    let hanging = async {
        until("the pull waits", async || redis.blocked().await == 1).await;
        redis.hang();
    };
    let (page, ()) = tokio::join!(waiting, hanging);
    let took = began.elapsed();
    let page = page.ok();
    assert_eq!(page["messages"], json!([]));
    // Its position is still that of the newest message.
    let position = page["position"].as_str().unwrap();
    assert_eq!(position.split('-').nth(1), Some("1"), "{position}");
    assert!(
        took >= Duration::from_secs(3) && took < Duration::from_secs(4),
        "{took:?}"
    );
    redis.resume();
}

#[tokio::test]
async fn a_wait_leaves_the_request_time_for_redis() {
    let redis = Redis::start();
    let confab = Confab::on(&redis)
        .variable("request_timeout_ms", 3000)
        .variable("redis_timeout_ms", 1000)
        .start();
    for wait in [2, 25, 30] {
        let began = Instant::now();
        let page = confab.get(&format!("/api/pull?chat=a:b&wait={wait}")).await.ok();
        assert_eq!(page["messages"], json!([]));
        let took = began.elapsed();
        assert!(
            took >= Duration::from_millis(1900) && took < Duration::from_millis(2900),
            "{took:?}"
        );
    }
    // A message that comes meanwhile is received.
    let waiting = confab.get("/api/pull?chat=a:b&wait=30");
    let sending = async {
        until("the pull waits", async || redis.blocked().await == 1).await;
        confab.send_all("a:b", "a", ["hi"]).await;
    };
    let (page, ()) = tokio::join!(waiting, sending);
    assert_eq!(page.ok()["messages"][0]["text"], "hi");
}

#[tokio::test]
async fn a_slow_reader_holds_its_stream_a_heartbeat_longer_than_its_lifetime_at_most() {
    let redis = Redis::start();
    let confab = Confab::on(&redis)
        .variable("stream_lifetime_s", 2)
        .variable("stream_heartbeat_s", 1)
        .start();
    let text = "x".repeat(64 * 1024);
    confab.send_all("a:b", "a", vec![&text; 300]).await;
    until("only the test's own connection is left", async || {
        redis.clients().await == 1
    })
    .await;
    let mut stream = TcpStream::connect(confab.host()).await.unwrap();
    let request = "GET /api/stream?chat=a:b&cursor=0 HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let began = Instant::now();
    let reading = tokio::spawn(async move {
        // 160 KiB per second: it always takes something within a heartbeat.
        let mut some = vec![0; 16 * 1024];
        while stream.read(&mut some).await.is_ok_and(|length| length > 0) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    until("the stream has begun", async || redis.clients().await > 1).await;
    // The instance and its connection go when the stream has ended, and they were idle for a second.
    until("the stream has ended", async || redis.clients().await == 1).await;
    let took = began.elapsed();
    println!(
        "a slow reader held a stream of 2 s with a heartbeat of 1 s, and then an idle instance for 1 s: {took:?} in all"
    );
    assert!(!reading.is_finished(), "the reader was not slow");
    assert!(took < Duration::from_secs(4) + SLACK, "{took:?}");
    reading.abort();
}
