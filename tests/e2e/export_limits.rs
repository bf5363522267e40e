//! How many exports a person may have at once, and how long one may take.

use crate::export::{asking, begin, lines, service};
use crate::export_changes::fill_first;
use confab_kit::token::token;
use confab_kit::{Confab, Redis, until};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::time::{Duration, Instant};

const EXPORTS: &str = "confab:{x}:exports";

async fn leases(redis: &Redis) -> usize {
    redis.command(["ZCARD", EXPORTS]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_two_exports_at_once_and_a_service_as_many_as_it_likes() {
    let redis = Redis::start();
    fill_first(&redis).await;
    let hosts = [(); 2].map(|()| asking(Confab::on(&redis)).variable("stream_limit", 1).start());
    let x = token("x");
    // They are not read, and so they go on.
    let first = begin(&hosts[0], &x, "").await;
    let second = begin(&hosts[1], &token("X"), "chat=0:x").await;
    assert_eq!([first.status(), second.status()], [200; 2]);
    for host in &hosts {
        let third = begin(host, &x, "own=true").await;
        assert_eq!(third.status(), 429);
        let header = |name| third.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("ratelimit-policy"), "\"exports\";q=2;qu=\"concurrent-requests\"");
        assert_eq!([header("ratelimit"), header("retry-after")], ["\"exports\";r=0", "15"]);
        let problem: Value = third.json().await.unwrap();
        assert_eq!(problem["violated-policies"][0], "exports");
    }
    // Nobody else is limited by that, and no stream.
    let stream = hosts[0].without_token(Method::GET, "/api/stream?chat=0:x");
    assert_eq!(stream.bearer_auth(&x).send().await.unwrap().status(), 200);
    assert_eq!(begin(&hosts[0], &token("0"), "").await.status(), 200);
    let service = service();
    let more = (0..3).map(|_| begin(&hosts[0], &service, "name=x"));
    let more = join_all(more).await;
    assert!(more.iter().all(|answer| answer.status() == 200));
    // One whose client has gone counts no longer, and one that has ended neither.
    drop(first);
    until("one is given back", async || leases(&redis).await == 1).await;
    let body = begin(&hosts[0], &x, "").await.bytes().await.unwrap();
    assert_eq!(lines(&body).last().unwrap()["messages"], 100);
    assert_eq!(leases(&redis).await, 1);
    drop(second);
    until("the other is given back", async || leases(&redis).await == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_nobody_reads_is_given_up_after_a_heartbeat() {
    let redis = Redis::start();
    fill_first(&redis).await;
    let confab = asking(Confab::on(&redis)).variable("stream_heartbeat_s", 1).start();
    let mut answer = begin(&confab, &token("x"), "").await;
    assert_eq!((answer.status(), leases(&redis).await), (StatusCode::OK, 1));
    until("it is given up", async || leases(&redis).await == 0).await;
    // Its instance goes once nothing is under way in it.
    until("the instance has ended", async || redis.clients().await == 1).await;
    let mut read = Vec::new();
    let is_ended = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => read.extend_from_slice(&chunk),
            end => break end.is_ok(),
        }
    };
    println!(
        "an export of 39 MB that nobody read: {} bytes were sent before it was given up",
        read.len()
    );
    assert!(!is_ended && !read.ends_with(b"}\n"), "it looks whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_read_slowly_arrives_whole_however_long_it_takes() {
    let redis = Redis::start();
    fill_first(&redis).await;
    let confab = asking(Confab::on(&redis)).variable("request_timeout_ms", 1000);
    let confab = confab
        .variable("stream_lifetime_s", 1)
        .variable("stream_heartbeat_s", 4)
        .start();
    let began = Instant::now();
    let mut answer = begin(&confab, &token("x"), "").await;
    let (mut body, mut pauses) = (Vec::new(), 0);
    while let Some(chunk) = answer.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
        while pauses < body.len() / (64 * 1024) {
            tokio::time::sleep(Duration::from_millis(8)).await;
            pauses += 1;
        }
    }
    let took = began.elapsed();
    println!("an export of {} bytes that was read slowly: {took:?}", body.len());
    assert_eq!(lines(&body).last().unwrap()["messages"], 100);
    assert!(took > Duration::from_secs(3), "{took:?}");
}
