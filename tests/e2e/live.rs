//! A followed chat: what was missed, then what comes, once and in order, whatever becomes of the log, Redis or the client.

use crate::support::{Confab, Fault, Follower, Redis, Wire, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// confab whose streams say that they are there every second.
async fn start(redis: &Redis) -> Confab {
    Confab::with(&[("redis_host", &redis.host()), ("stream_heartbeat_s", "1")]).await
}

fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// What a stream sends, from its start to the first time that it has this text in it.
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
        .expect("the stream does not say it");
    sent
}

#[tokio::test]
async fn a_stream_is_server_sent_events_that_nothing_may_keep() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    confab.send_all("a:b", "a", ["one\ntwo"]).await;
    let message = confab.pull(json!({ "chat": "A:b" })).await.ok();
    let (epoch, data) = (&message["epoch"], &message["messages"][0]);

    let mut get = confab.stream("chat=A:b&cursor=0").await;
    let head = confab.request(Method::HEAD, "/api/stream?chat=A:b&cursor=0", "").await;
    assert_eq!((get.status().as_u16(), head.status), (200, 200));
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(
            (&get.headers()[name], head.header(name)),
            (&value.parse().unwrap(), value)
        );
    }
    assert_eq!(get.chunk().await.unwrap().unwrap(), "retry: 1000\n\n");

    let sent = raw_until(&confab, "chat=A:b&cursor=0", "data").await;
    let (retry, event) = sent.split_once("\n\n").unwrap();
    assert_eq!(retry, "retry: 1000");
    let (id, event) = event.split_once('\n').unwrap();
    assert_eq!(id, format!("id: {epoch}-0"));
    let written = event.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
    assert_eq!(&serde_json::from_str::<Value>(written).unwrap(), data);
}

#[tokio::test]
async fn a_silent_stream_has_a_heartbeat() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    let sent = raw_until(&confab, "chat=a:b", ":\n\n:\n\n").await;
    assert_eq!(sent, "retry: 1000\n\n:\n\n:\n\n");
}

#[tokio::test]
async fn a_follower_is_told_what_it_missed_and_then_what_comes() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    // More than is told at once.
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
async fn without_a_cursor_it_begins_with_the_next_message() {
    let redis = Redis::start();
    // The stream is asked for by a way on which Redis is slow to learn where it begins, the messages are sent by another.
    let wire = Wire::start(redis.host(), &[(Fault::Delay, 1000)], Duration::from_millis(50), 0).await;
    let slow = Confab::with(&[("redis_host", wire.host())]).await;
    let confab = start(&redis).await;
    for (chat, first) in [("new:chat", 0), ("old:chat", 3)] {
        confab.send_all(chat, "chat", numbers(0..first)).await;
        for index in first..first + 10 {
            // What is sent as soon as the stream is there, it tells.
            let mut follower = Follower::start(&slow, &format!("chat={chat}"), None).opened().await;
            confab.send_all(chat, "chat", ["now"]).await;
            assert_eq!(follower.next().await.index(), index);
        }
    }
}

#[tokio::test]
async fn it_continues_after_its_last_event_whatever_the_query_says() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    confab.send_all("a:b", "a", numbers(0..5)).await;
    let epoch = confab.pull(json!({ "chat": "a:b" })).await.ok()["epoch"].clone();
    for query in ["chat=a:b", "chat=a:b&cursor=0", "chat=a:b&cursor=1&epoch=5"] {
        let mut follower = Follower::start(&confab, query, Some(&format!("{epoch}-2")));
        assert_eq!(follower.indexes(2).await, [3, 4], "{query}");
    }
}

#[tokio::test]
async fn an_event_source_continues_where_a_stream_has_ended_itself() {
    let redis = Redis::start();
    let confab = Confab::with(&[("redis_host", &redis.host()), ("stream_lifetime_s", "1")]).await;
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
async fn where_the_log_is_gone_it_is_told_and_begins_with_the_new_one() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    confab.send_all("a:b", "a", ["old 0", "old 1"]).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(2).await, [0, 1]);
    let last = confab.pull(json!({ "chat": "a:b" })).await.ok();
    let last = format!("{}-1", last["epoch"]);

    redis.delete("confab:{a:b}:log").await;
    confab.send_all("a:b", "a", ["new 0"]).await;
    let epoch = confab.pull(json!({ "chat": "a:b" })).await.ok()["epoch"].clone();
    let mut again = Follower::start(&confab, "chat=a:b", Some(&last));
    let mut by_cursor = Follower::start(&confab, &format!("chat=a:b&cursor=2&epoch={}", &last[..16]), None);
    for (follower, id) in [(&mut follower, &*last), (&mut again, ""), (&mut by_cursor, "")] {
        let reset = follower.next().await;
        assert_eq!((&*reset.name, &reset.data), ("reset", &json!({ "epoch": epoch })));
        // It has no id of its own, so that a client that breaks off here is told again.
        assert_eq!(reset.id, id);
        let first = follower.next().await;
        assert_eq!((first.index(), &first.data["text"]), (0, &json!("new 0")));
        assert_eq!(first.id, format!("{epoch}-0"));
    }
    redis.delete("confab:{a:b}:log").await;
    let reset = follower.next().await;
    assert_eq!((&*reset.name, &reset.data), ("reset", &json!({ "epoch": 0 })));
    confab.send_all("a:b", "a", ["newest 0"]).await;
    assert_eq!(follower.next().await.data["text"], "newest 0");
}

#[tokio::test]
async fn where_the_log_has_lost_its_newest_messages_it_is_told_and_begins_at_its_start() {
    let mut redis = Redis::start();
    let confab = with_deadline(&redis, "15000").await;
    confab.send_all("a:b", "a", ["kept"]).await;
    let save = redis::cmd("SAVE");
    let () = save.query_async(&mut redis.connect().await).await.unwrap();
    confab.send_all("a:b", "a", ["lost", "lost too"]).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(3).await, [0, 1, 2]);
    redis.kill();
    redis.restart();
    // One that was there meanwhile, and one that comes back.
    let epoch = confab.pull(json!({ "chat": "a:b" })).await.ok()["epoch"].clone();
    let mut again = Follower::start(&confab, "chat=a:b", Some(&format!("{epoch}-2")));
    for follower in [&mut follower, &mut again] {
        let reset = follower.next().await;
        assert_eq!((&*reset.name, &reset.data), ("reset", &json!({ "epoch": epoch })));
        assert_eq!(follower.next().await.data["text"], "kept");
    }
    confab.send_all("a:b", "a", ["new"]).await;
    for follower in [&mut follower, &mut again] {
        let next = follower.next().await;
        assert_eq!((next.index(), &next.data["text"]), (1, &json!("new")));
    }
}

#[tokio::test]
async fn a_log_that_a_clock_set_back_began_anew_is_told_of_too() {
    let (redis, clock) = Redis::with_a_clock();
    let confab = start(&redis).await;
    confab.send_all("a:b", "a", ["old"]).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.next().await.index(), 0);
    clock.set(-3600);
    redis.delete("confab:{a:b}:log").await;
    // Its ids are lower than those that the follower waits for.
    confab.send_all("a:b", "a", ["new"]).await;
    assert_eq!(follower.next().await.name, "reset");
    assert_eq!(follower.next().await.data["text"], "new");
}

#[tokio::test]
async fn where_messages_were_trimmed_it_is_told_of_the_gap() {
    let redis = Redis::start();
    let confab = Confab::with(&[("redis_host", &redis.host()), ("max_messages_per_chat", "5")]).await;
    confab.send_all("a:b", "a", numbers(0..20)).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=7", None);
    let gap = follower.next().await;
    let epoch = confab.pull(json!({ "chat": "a:b" })).await.ok()["epoch"].clone();
    assert_eq!(
        (gap.name.as_str(), gap.id, gap.data),
        ("gap", format!("{epoch}-14"), json!({ "first_index": 15 }))
    );
    assert_eq!(follower.indexes(5).await, [15, 16, 17, 18, 19]);
    // One that keeps up has no gaps.
    for index in 20..40 {
        confab.send_all("a:b", "a", ["more"]).await;
        assert_eq!(follower.next().await.index(), index);
    }
}

#[tokio::test]
async fn what_is_not_a_stream_is_refused() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    for (query, id, field) in [
        ("", None, json!("chat")),
        ("chat=a", None, json!("chat")),
        ("chat=a:b&cursor=-1", None, json!("cursor")),
        ("chat=a:b&cursor=x", None, json!("cursor")),
        ("chat=a:b&cursor=1&epoch=x", None, json!("epoch")),
        ("chat=a:b&chat=a:c", None, Value::Null),
        ("chat=a:b", Some("7"), json!("Last-Event-ID")),
        ("chat=a:b", Some("x-7"), json!("Last-Event-ID")),
        ("chat=a:b", Some("1-18446744073709551615"), json!("Last-Event-ID")),
    ] {
        let mut request = confab.build(Method::GET, &format!("/api/stream?{query}"));
        if let Some(id) = id {
            request = request.header("last-event-id", id);
        }
        let answer = crate::support::answer(request).await;
        assert_eq!(answer.problem(), (400, field), "{query} {id:?}");
    }
    let twice = confab.build(Method::GET, "/api/stream?chat=a:b");
    let twice = twice.header("last-event-id", "1-1").header("last-event-id", "1-2");
    let answer = crate::support::answer(twice).await;
    assert_eq!(answer.problem(), (400, json!("Last-Event-ID")));
    let answer = confab.request(Method::POST, "/api/stream?chat=a:b", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn where_the_stored_data_cannot_be_read_the_stream_says_so_and_ends() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    let set = redis::cmd("SET").arg("confab:{a:b}:log").arg("not a log").to_owned();
    let () = set.query_async(&mut redis.connect().await).await.unwrap();
    for query in ["chat=a:b", "chat=a:b&cursor=0"] {
        let mut follower = Follower::start(&confab, query, None);
        let problem = follower.next().await;
        assert_eq!((&*problem.name, &*problem.id), ("problem", ""));
        assert_eq!(
            (&problem.data["type"], &problem.data["status"]),
            (&json!("/problems/internal"), &json!(500))
        );
        assert_eq!(follower.next_in_this_stream().await, None, "{query}");
    }
    assert!(confab.log().contains("confab:{a:b}:log"), "{}", confab.log());
}

#[tokio::test]
async fn a_connection_to_redis_that_breaks_does_not_end_the_stream() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    let mut follower = Follower::start(&confab, "chat=a:b", None).opened().await;
    for index in 0..10 {
        redis.cut_clients().await;
        confab.send_all("a:b", "a", ["hi"]).await;
        assert_eq!(follower.next().await.index(), index);
    }
    assert_eq!(follower.connected, 1);
}

/// confab that waits for Redis so long.
async fn with_deadline(redis: &Redis, milliseconds: &str) -> Confab {
    Confab::with(&[("redis_host", &redis.host()), ("redis_timeout_ms", milliseconds)]).await
}

#[tokio::test]
async fn redis_away_and_back_within_the_deadline_does_not_end_the_stream() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let confab = with_deadline(&redis, "15000").await;
    let mut follower = Follower::start(&confab, "chat=a:b", None).opened().await;
    for index in 0..3 {
        redis.kill();
        redis.restart();
        confab.send_all("a:b", "a", ["hi"]).await;
        assert_eq!(follower.next().await.index(), index);
    }
    assert_eq!(follower.connected, 1);
}

#[tokio::test]
async fn redis_away_for_longer_is_told_and_an_event_source_continues_when_it_is_back() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let confab = with_deadline(&redis, "300").await;
    confab.send_all("a:b", "a", numbers(0..3)).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.indexes(3).await, [0, 1, 2]);
    redis.kill();
    // The client tries again and again, and is told each time.
    for _ in 0..3 {
        let problem = follower.next().await;
        assert_eq!(
            (&*problem.name, &problem.data["type"]),
            ("problem", &json!("/problems/unavailable"))
        );
    }
    redis.restart();
    confab.send_all("a:b", "a", ["3"]).await;
    assert_eq!(follower.next_but_problems().await.index(), 3);
}

#[tokio::test]
async fn a_redis_that_hangs_is_told_and_an_event_source_continues_when_it_goes_on() {
    let redis = Redis::start();
    let variables = [
        ("redis_host", &*redis.host()),
        ("redis_timeout_ms", "300"),
        ("stream_heartbeat_s", "1"),
    ];
    let confab = Confab::with(&variables).await;
    confab.send_all("a:b", "a", ["0"]).await;
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None);
    assert_eq!(follower.next().await.index(), 0);
    redis.hang();
    assert_eq!(follower.next().await.data["type"], "/problems/unavailable");
    redis.resume();
    until("Redis goes on", async || {
        confab.send("a:b", "a", "1").await.status == 200
    })
    .await;
    assert_eq!(follower.next_but_problems().await.index(), 1);
}

#[tokio::test]
async fn followers_that_leave_give_their_connections_back() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    confab.send_all("a:b", "a", numbers(0..10)).await;
    let before = redis.clients().await;
    for round in 0..10 {
        let mut followers = Vec::new();
        for _ in 0..20 {
            let mut follower = Follower::start(&confab, "chat=a:b&cursor=8", None);
            assert_eq!(follower.indexes(2).await, [8, 9], "{round}");
            followers.push(follower);
        }
        until("each follower waits at a connection of its own", async || {
            redis.blocked().await >= followers.len()
        })
        .await;
        // Half of them leave while they are told something.
        followers.truncate(10);
    }
    let left = Instant::now();
    until("the connections are given back", async || redis.blocked().await == 0).await;
    until("the connections are closed", async || {
        redis.clients().await <= before + 1
    })
    .await;
    println!(
        "200 followers came and went: {:?} after the last, Redis had {before} connections as before",
        left.elapsed()
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_is_ended_and_holds_up_nobody() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    confab.send_all("a:b", "a", ["first"]).await;
    let before = redis.clients().await;
    let mut stalled = TcpStream::connect(confab.host()).await.unwrap();
    let request = "GET /api/stream?chat=a:b&cursor=0 HTTP/1.1\r\nhost: x\r\n\r\n";
    stalled.write_all(request.as_bytes()).await.unwrap();
    let mut reader = Follower::start(&confab, "chat=a:b&cursor=1", None).opened().await;
    let text = "x".repeat(64 * 1024);
    // More than what lies between the two can hold.
    for index in 1..=300 {
        confab.send_all("a:b", "a", [&text]).await;
        assert_eq!(reader.next().await.index(), index);
    }
    drop(reader);
    until("both have given their connections back", async || {
        redis.blocked().await == 0 && redis.clients().await <= before + 1
    })
    .await;
    // It had a part, and can go on from there.
    let mut had = Vec::new();
    let end = stalled.read_to_end(&mut had);
    _ = tokio::time::timeout(Duration::from_secs(10), end).await;
    let had = String::from_utf8_lossy(&had).matches("\nid: ").count();
    assert!(had < 300, "all of it was held for a client that does not read");
    println!("a client that did not read was ended {had} messages after its start");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_followers_of_a_hundred_chats_are_told_all() {
    const MESSAGES: u64 = 10;
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    let chat = |number: usize| format!("chat{}:x", number % 100);
    let mut followers = Vec::new();
    for number in 0..500 {
        let query = format!("chat={}", chat(number));
        followers.push(Follower::start(&confab, &query, None).opened().await);
    }
    let instances = confab.instances();
    let told: Vec<_> = followers
        .into_iter()
        .map(|mut follower| {
            tokio::spawn(async move {
                let started = follower.indexes(usize::try_from(MESSAGES).unwrap()).await;
                (started, follower)
            })
        })
        .collect();
    for _ in 0..MESSAGES {
        for number in 0..100 {
            confab.send_all(&chat(number), "x", ["hi"]).await;
        }
    }
    for told in told {
        let (indexes, follower) = told.await.unwrap();
        assert_eq!(indexes, (0..MESSAGES).collect::<Vec<_>>());
        assert_eq!(follower.connected, 1);
    }
    println!(
        "500 followers of 100 chats: {} messages told, {instances} instances",
        500 * MESSAGES
    );
}

#[tokio::test]
async fn a_pull_that_waits_is_answered_when_a_message_comes() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    for (chat, cursor) in [("new:chat", 0), ("old:chat", 2)] {
        confab.send_all(chat, "chat", numbers(0..cursor)).await;
        for request in [
            json!({ "chat": chat, "cursor": cursor, "wait": 20 }),
            // Of a cursor further on, only the message that it names.
            json!({ "chat": chat, "cursor": cursor + 2, "wait": 20 }),
        ] {
            let index = request["cursor"].as_u64().unwrap();
            let waiting = confab.pull(request.clone());
            let sending = async {
                until("the pull waits", async || redis.blocked().await == 1).await;
                let sent = confab.pull(json!({ "chat": chat })).await.ok()["messages"]
                    .as_array()
                    .unwrap()
                    .len();
                for _ in sent..=usize::try_from(index).unwrap() {
                    confab.send_all(chat, "chat", ["hi"]).await;
                }
            };
            let (page, ()) = tokio::join!(waiting, sending);
            let page = page.ok();
            assert_eq!(page["messages"].as_array().unwrap().len(), 1, "{page}");
            assert_eq!(page["messages"][0]["index"], index, "{page}");
        }
    }
    until("nobody waits any more", async || redis.blocked().await == 0).await;
}

#[tokio::test]
async fn a_pull_waits_no_longer_than_it_is_told_and_only_where_a_message_can_come() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    confab.send_all("a:b", "a", ["hi"]).await;
    let began = Instant::now();
    let page = confab.get("/api/pull?chat=a:b&cursor=1&wait=1").await.ok();
    assert_eq!(page["messages"], json!([]));
    assert!(began.elapsed() >= Duration::from_secs(1));
    for request in [
        json!({ "chat": "a:b", "cursor": 1, "wait": 0 }),
        json!({ "chat": "a:b", "cursor": 0, "wait": 30 }),
        json!({ "chat": "a:b", "cursor": 1, "wait": 30, "before": 1 }),
        json!({ "chat": "a:b", "cursor": 1, "wait": 30, "reverse": true }),
    ] {
        let began = Instant::now();
        confab.pull(request.clone()).await.ok();
        assert!(began.elapsed() < Duration::from_secs(10), "{request}");
    }
    let gone = confab
        .pull(json!({ "chat": "a:b", "cursor": 9, "epoch": 5, "wait": 30 }))
        .await;
    assert_eq!(gone.problem(), (410, json!("epoch")));
    for wait in [json!(31), json!(-1), json!("1"), json!(0.5)] {
        let answer = confab.pull(json!({ "chat": "a:b", "wait": wait })).await;
        assert_eq!(answer.problem(), (400, json!("wait")), "{wait}");
    }
}

#[tokio::test]
async fn a_log_that_is_begun_anew_under_a_waiting_pull_is_410() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    confab.send_all("a:b", "a", ["old"]).await;
    let epoch = confab.pull(json!({ "chat": "a:b" })).await.ok()["epoch"].clone();
    let waiting = confab.pull(json!({ "chat": "a:b", "cursor": 1, "epoch": epoch, "wait": 20 }));
    let sending = async {
        until("the pull waits", async || redis.blocked().await == 1).await;
        redis.delete("confab:{a:b}:log").await;
        confab.send_all("a:b", "a", ["new"]).await;
    };
    let (page, ()) = tokio::join!(waiting, sending);
    assert_eq!(page.problem(), (410, json!("epoch")));
}
