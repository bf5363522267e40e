//! A host has only so many instances, and a stream keeps its own: neither other requests nor refused ones may make it keep more.

use confab_kit::token::{SECRET, token};
use confab_kit::{Confab, Redis, TestResponse, until};
use reqwest::{Method, Response};

/// What a host of these tests has: room for four instances with streams.
const STACKS: usize = 8;
const FOLLOWERS: usize = 3 * STACKS;
/// With the follower's own request, as many as an instance of Spin serves by default.
const BETWEEN: usize = 127;

const CHAT: &str = "/api/stream?chat=alice:bob";
const INBOX: &str = "/api/inbox/stream?name=alice";

/// Lets followers come, and after each so many requests of others. Returns the streams, and how many requests of either kind were
/// answered with the host's own 500, which has no body.
async fn followers_beside(
    confab: &Confab,
    token: Option<&str>,
    request: (Method, &str, u16),
    between: usize,
) -> (Vec<Response>, usize) {
    let (mut streams, mut failed) = (Vec::new(), 0);
    let (method, path, status) = request;
    for number in 0..FOLLOWERS {
        let stream = confab.without_token(Method::GET, [CHAT, INBOX][number % 2]);
        let stream = match token {
            Some(token) => stream.bearer_auth(token),
            None => stream,
        };
        let stream = stream.send().await.unwrap();
        match stream.status().as_u16() {
            200 => streams.push(stream),
            _ => failed += 1,
        }
        for _ in 0..between {
            let answer = TestResponse::to(confab.without_token(method.clone(), path)).await;
            if answer.status == 500 && answer.body.is_empty() {
                failed += 1;
            } else {
                assert_eq!(answer.status, status);
            }
        }
    }
    (streams, failed)
}

/// Whether all streams go on: each receives a message that is sent now.
async fn all_receive(confab: &Confab, token: Option<&str>, streams: Vec<Response>) {
    let text = "to all of them";
    let request = confab.without_token(Method::POST, "/api/send");
    let request = request.body(confab.body("alice:bob", "alice", text));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    TestResponse::to(request).await.ok();
    for mut stream in streams {
        let mut received = String::new();
        while !received.contains(text) {
            let chunk = stream.chunk().await.unwrap().expect("a stream has ended");
            received.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
}

#[tokio::test]
async fn streams_keep_no_instance_that_serves_other_requests() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).limits(STACKS, 128).start();
    let (streams, failed) = followers_beside(&confab, None, (Method::GET, "/ping", 200), BETWEEN).await;
    println!(
        "{FOLLOWERS} followers beside {} pings: {failed} failed",
        FOLLOWERS * BETWEEN
    );
    assert_eq!(failed, 0);
    all_receive(&confab, None, streams).await;
}

/// Requests to the route of a stream, by somebody without a token. They keep its component's instances unless these are reused.
#[tokio::test]
async fn refused_requests_for_streams_keep_no_instances_if_these_are_reused() {
    let redis = Redis::start();
    let settings = |reuse_count| {
        let confab = Confab::on(&redis).limits(STACKS, reuse_count);
        let confab = confab.variable("auth", "required").variable("auth_secret", SECRET);
        confab.variable("stream_limit", 0).start()
    };
    let alice = token("alice");
    let refused = (Method::GET, CHAT, 401);
    let confab = settings(100_000);
    let (streams, failed) = followers_beside(&confab, Some(&alice), refused.clone(), BETWEEN).await;
    assert_eq!(failed, 0);
    all_receive(&confab, Some(&alice), streams).await;

    // What the flag is for.
    let (streams, failed) = followers_beside(&settings(128), Some(&alice), refused, BETWEEN).await;
    println!(
        "without the flag: {} of {FOLLOWERS} followers, {failed} requests failed",
        streams.len()
    );
    assert!(failed > 0 && streams.len() < FOLLOWERS, "{failed}");
}

#[tokio::test]
async fn above_its_instances_a_host_answers_500_until_a_stream_has_ended() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).limits(2, 128);
    let confab = confab.variable("stream_heartbeat_s", 1).start();
    let stream = confab.stream("chat=a:b").await;
    let refused = confab.get("/ping").await;
    assert_eq!((refused.status, refused.body.len()), (500, 0));
    drop(stream);
    until("the host answers", async || confab.get("/ping").await.status == 200).await;
}
