//! How many streams and waiting pulls a person may have at once: `stream_limit`.

use crate::all_or_nothing::{commands, rules};
use confab_kit::token::{SECRET, claims, hs256, token};
use confab_kit::{Builder, Confab, Fault, Proxy, Redis, RefusingRedis, TestResponse, Traffic, seed, to_its_end, until};
use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// Where alice's streams are counted.
const LEASES: &str = "confab:{alice}:streams";

const STREAM: &str = "/api/stream?chat=alice:bob";
const INBOX: &str = "/api/inbox/stream";
const WAIT: &str = "/api/pull?chat=alice:bob&wait=20";

/// confab with identity on, where a person may have so many streams, and a lease lasts 2.5 s.
fn limited(builder: Builder, limit: u64) -> Builder {
    let builder = builder.variable("auth", "required").variable("auth_secret", SECRET);
    let builder = builder
        .variable("stream_limit", limit)
        .variable("stream_heartbeat_s", 1);
    builder.variable("redis_timeout_ms", 500)
}

/// Sends `GET path`, and returns as soon as the answer has begun: a stream is open until it is dropped.
async fn open(confab: &Confab, path: &str, token: &str) -> Response {
    let request = confab.build(Method::GET, path).bearer_auth(token);
    request.send().await.unwrap()
}

async fn get(confab: &Confab, path: &str, token: &str) -> TestResponse {
    TestResponse::to(confab.build(Method::GET, path).bearer_auth(token)).await
}

async fn leases(redis: &Redis) -> usize {
    redis.command(["ZCARD", LEASES]).await
}

#[track_caller]
fn refused(answer: &TestResponse, limit: u64) {
    assert_eq!(answer.problem(), (429, Value::Null));
    let problem = answer.json();
    assert_eq!(problem["type"], "/problems/too-many");
    assert_eq!(problem["violated-policies"], json!(["streams"]));
    let policy = format!("\"streams\";q={limit};qu=\"concurrent-requests\"");
    let headers = ["ratelimit-policy", "ratelimit", "retry-after"].map(|name| answer.header(name));
    assert_eq!(headers, [&policy, "\"streams\";r=0", "1"]);
}

#[tokio::test]
async fn a_person_has_as_many_streams_and_waiting_pulls_as_are_allowed() {
    let redis = Redis::start();
    let confab = limited(Confab::on(&redis), 3).start();
    let alice = token("alice");
    let open_now = [
        open(&confab, STREAM, &alice).await,
        open(&confab, INBOX, &token("ALICE")).await,
    ];
    assert!(open_now.iter().all(|answer| answer.status() == 200));
    let waiting = get(&confab, WAIT, &alice);
    let others = async {
        until("three are counted", async || leases(&redis).await == 3).await;
        for path in [STREAM, INBOX, WAIT] {
            refused(&get(&confab, path, &token("aLICE")).await, 3);
        }
        // Nobody else is limited by that, nor what does not wait.
        let mut service = claims("alice", 60);
        service["scope"] = json!("confab:service");
        let service = hs256(SECRET, &service);
        for token in [&token("bob"), &service] {
            assert_eq!(open(&confab, STREAM, token).await.status(), 200);
        }
        assert_eq!(get(&confab, "/api/pull?chat=alice:bob", &alice).await.status, 200);
        let head = confab.build(Method::HEAD, STREAM).bearer_auth(&alice);
        assert_eq!(TestResponse::to(head).await.status, 200);
        confab.send_as(&alice, "alice:bob", "hi", None).await.ok();
        // A pull that has its answer does not wait.
        assert_eq!(get(&confab, WAIT, &alice).await.status, 200);
    };
    let (page, ()) = tokio::join!(waiting, others);
    assert_eq!(page.ok()["messages"][0]["text"], "hi");
    assert_eq!(leases(&redis).await, 2);
    assert_eq!(confab.log(), "");
}

#[tokio::test]
async fn of_many_streams_at_once_exactly_as_many_as_allowed_are_open() {
    let redis = Redis::start();
    let hosts = [(); 2].map(|()| limited(Confab::on(&redis), 5).start());
    let alice = token("alice");
    let opening = (0..30).map(|number| open(&hosts[number % 2], [STREAM, INBOX][number % 3 % 2], &alice));
    let answers = join_all(opening).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status() == status).count();
    assert_eq!((count(200), count(429)), (5, 25));
    assert_eq!(leases(&redis).await, 5);
}

#[tokio::test]
async fn what_has_ended_counts_no_longer() {
    let redis = Redis::start();
    let confab = limited(Confab::on(&redis), 1).variable("stream_lifetime_s", 1).start();
    let alice = token("alice");
    // Each pull waits, and the next one follows at once.
    for number in 0..3 {
        let path = format!("{WAIT}&cursor={number}");
        let sending = async {
            until("the pull waits", async || leases(&redis).await == 1).await;
            confab.send_as(&alice, "alice:bob", "hi", None).await.ok();
        };
        let (page, ()) = tokio::join!(get(&confab, &path, &alice), sending);
        assert_eq!(page.ok()["messages"][0]["index"], number);
    }
    let page = get(&confab, "/api/pull?chat=alice:bob&cursor=3&wait=1", &alice).await;
    assert_eq!(page.ok()["messages"], json!([]));
    // A stream that its lifetime ends, one that its client leaves, and one that begins with a reset.
    for path in [STREAM, INBOX, "/api/stream?chat=alice:bob&after=x"] {
        let answer = get(&confab, path, &alice).await;
        assert_eq!((answer.status, leases(&redis).await), (200, 0), "{path}");
        let left = open(&confab, path, &alice).await;
        assert_eq!(left.status(), 200);
        drop(left);
        until("it is given back", async || leases(&redis).await == 0).await;
    }
    assert_eq!(redis.keys("*streams").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_stream_counts_as_long_as_it_lasts_and_again_after_redis_has_lost_it() {
    let redis = Redis::start();
    let confab = limited(Confab::on(&redis), 1).start();
    let alice = token("alice");
    let answer = open(&confab, STREAM, &alice).await;
    assert_eq!(answer.status(), 200);
    let lease: Vec<String> = redis.command(["ZRANGE", LEASES, "0", "-1"]).await;
    let ends = async || redis.command::<Option<u64>>(["ZSCORE", LEASES, &lease[0]]).await;
    let first = ends().await.unwrap();
    let renewed = async || redis.time().await > first && ends().await > Some(first);
    until("the lease would have ended", renewed).await;
    refused(&get(&confab, INBOX, &alice).await, 1);
    redis.empty().await;
    until("the lease is there again", async || ends().await.is_some()).await;
    refused(&get(&confab, STREAM, &alice).await, 1);
    drop(answer);
    until("it is given back", async || leases(&redis).await == 0).await;
}

#[tokio::test]
async fn a_stream_that_died_without_a_word_counts_until_its_lease_ends() {
    let (redis, clock) = Redis::with_clock();
    let confab = limited(Confab::on(&redis), 1).start();
    let alice = token("alice");
    let dead = async || {
        let ends = (redis.time().await + 2_400_000).to_string();
        redis.command::<()>(["ZADD", LEASES, &ends, "dead"]).await;
    };
    dead().await;
    refused(&get(&confab, STREAM, &alice).await, 1);
    clock.set(3);
    assert_eq!(open(&confab, STREAM, &alice).await.status(), 200);
    until("it is given back", async || leases(&redis).await == 0).await;
    // A clock that is set back by an hour makes it one lease from then on, not an hour.
    dead().await;
    clock.set(3 - 3600);
    refused(&get(&confab, STREAM, &alice).await, 1);
    clock.set(6 - 3600);
    assert_eq!(open(&confab, STREAM, &alice).await.status(), 200);
}

#[tokio::test]
async fn a_stream_counts_once_however_often_confab_tries() {
    // In two of five cases, Redis runs the command and its reply is lost.
    let (redis, seed) = (Redis::start(), seed());
    let proxy = Proxy::start(&redis, Traffic::Random(&[(Fault::CutAfter, 400)], seed));
    let confab = limited(Confab::on(&proxy), 1).start();
    let alice = token("alice");
    for _ in 0..12 {
        let answer = open(&confab, INBOX, &alice).await;
        assert_eq!(answer.status(), 200);
        drop(answer);
        until("it is given back", async || leases(&redis).await == 0).await;
    }
    println!("{}", proxy.faults());
    assert!(proxy.faults().count(Fault::CutAfter) > 5);
}

#[tokio::test]
async fn streams_are_allowed_while_redis_is_away() {
    let redis = Redis::start();
    let refusing = RefusingRedis::start(&redis);
    let confab = limited(Confab::on(&refusing), 1).start();
    let alice = token("alice");
    let _first = open(&confab, STREAM, &alice).await;
    for line in [
        "-OOM command not allowed",
        "-LOADING Redis is loading the dataset in memory",
    ] {
        refusing.answer(&["EVALSHA"], line);
        let answer = open(&confab, STREAM, &alice).await;
        assert_eq!(answer.status(), 200, "{line}");
        let events = to_its_end(answer.text()).await.unwrap();
        assert!(events.contains("/problems/unavailable"), "{line}");
        refusing.pass();
    }
    refused(&get(&confab, STREAM, &alice).await, 1);
    // What a person must repair is not taken for that.
    redis.delete(LEASES).await;
    redis.command::<()>(["SET", LEASES, "x"]).await;
    assert_eq!(get(&confab, STREAM, &alice).await.problem(), (500, Value::Null));
}

#[tokio::test]
async fn without_a_limit_or_identity_nothing_is_counted() {
    let redis = Redis::start();
    let unlimited = limited(Confab::on(&redis), 0).start();
    let alice = token("alice");
    let public = Confab::on(&redis).variable("stream_limit", 1).start();
    for confab in [&unlimited, &public] {
        let opening = (0..3).map(|_| open(confab, STREAM, &alice));
        let answers = join_all(opening).await;
        assert!(answers.iter().all(|answer| answer.status() == 200));
        assert_eq!(redis.keys("*streams").await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_user_of_the_documented_commands_can_count_and_a_stream_costs_a_script_a_heartbeat() {
    let redis = Redis::start();
    let rules = rules(&commands());
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    let credentials = redis.user("confab", &rules).await;
    let builder = Confab::on(&redis).variable("redis_credentials", credentials);
    let confab = limited(builder, 1).start();
    let alice = token("alice");
    // These load the scripts.
    get(&confab, "/api/pull?chat=alice:bob", &alice).await.ok();
    drop(open(&confab, STREAM, &alice).await);
    until("it is given back", async || leases(&redis).await == 0).await;
    let mut monitor = redis.monitor().await;
    get(&confab, "/api/pull?chat=alice:bob&wait=1", &alice).await.ok();
    let mut asked = monitor.commands().await;
    asked.retain(|name| !["CLIENT", "AUTH"].contains(&name.as_str()));
    // The page; the lease; the wait; the page again, and at the same time the lease is given back.
    assert_eq!(asked[..5], ["EVALSHA", "EVALSHA", "INFO", "INFO", "XREAD"]);
    assert_eq!(asked[asked.len() - 2..], ["EVALSHA", "EVALSHA"]);
    let _first = open(&confab, STREAM, &alice).await;
    refused(&get(&confab, STREAM, &alice).await, 1);
    assert_eq!(confab.log(), "");
}
