//! The stream of an inbox: a whole page, then each chat in which something changes; and again a whole page if it cannot say what did.

use confab_kit::{Confab, Event, Follower, Redis, TestResponse, log_key, numbers, until};
use reqwest::Method;
use serde_json::{Value, json};

const FEED: &str = "confab:{a}:feed";

/// confab with a heartbeat of one second.
fn start(redis: &Redis) -> Confab {
    Confab::on(redis).variable("stream_heartbeat_s", 1).start()
}

/// A follower of the inbox of `a`, and the page with which it begins.
async fn follow(confab: &Confab) -> (Follower, Event) {
    let mut follower = Follower::of_inbox(confab, "name=a", None);
    let page = follower.next().await;
    assert_eq!(page.name, "inbox", "{page:?}");
    (follower, page)
}

fn chat_event(event: &Event) -> &Value {
    assert_eq!(event.name, "chat", "{event:?}");
    &event.data
}

#[tokio::test]
async fn a_stream_begins_with_a_whole_page_and_then_tells_each_change() {
    let confab = Confab::anywhere().prefer("stream_heartbeat_s", 1).start();
    confab.send_all("a:b", "b", ["1"]).await;
    let (mut follower, page) = follow(&confab).await;
    let mut expected = confab.inbox_by("name=a").await.ok();
    expected["position"] = json!(page.id);
    assert_eq!(page.data, expected);
    let mut bobs = Follower::of_inbox(&confab, "name=B&limit=1", None);
    assert_eq!(bobs.next().await.data["chats"][0]["with"], *confab.name("a"));

    // A message in a chat, one in a new one, and a mark: "seen".
    confab.send_all("a:b", "b", ["2"]).await;
    let event = follower.next().await;
    assert_eq!(chat_event(&event), &confab.inbox_chat("a", "a:b").await);
    assert_eq!(
        (&event.data["last"]["text"], &event.data["unread"]),
        (&json!("2"), &json!(2))
    );
    confab.send_all("C:a", "C", ["new"]).await;
    assert_eq!(chat_event(&follower.next().await)["chat"], *confab.chat("a:c"));
    confab.read_all("a:b", "a").await;
    assert_eq!(chat_event(&follower.next().await)["unread"], 0);
    assert_eq!(chat_event(&bobs.next().await)["last"]["text"], "2");
    assert_eq!(chat_event(&bobs.next().await)["read_by_other"], 2);
    // A mark that does not move tells nothing.
    confab.read_all("a:b", "a").await;
    confab.send_all("a:a", "a", ["note"]).await;
    let note = follower.next().await;
    assert_eq!(
        (&chat_event(&note)["chat"], &note.data["unread"]),
        (&json!(confab.chat("a:a")), &json!(0))
    );

    let Some(redis) = confab.redis() else { return };
    redis.delete(&log_key("a:c")).await;
    redis
        .command::<()>(["XADD", FEED, "NOMKSTREAM", "*", "chat", "a:c"])
        .await;
    let gone = follower.next().await;
    assert_eq!((&*gone.name, &gone.data), ("gone", &json!({ "chat": "a:c" })));
}

#[tokio::test]
async fn a_stream_continues_after_the_last_event_of_its_client() {
    let confab = Confab::anywhere().prefer("stream_heartbeat_s", 1).start();
    let (mut follower, page) = follow(&confab).await;
    confab.send_all("a:b", "b", ["1"]).await;
    let first = follower.next().await;
    drop(follower);
    for (chat, text) in [("a:b", "2"), ("a:c", "1"), ("a:b", "3"), ("a:d", "1")] {
        let (_, other) = chat.split_once(':').unwrap();
        confab.send_all(chat, other, [text]).await;
    }
    // Each chat once, as it is now. A client that breaks off between them receives them all again.
    for (id, expected) in [
        (&first.id, &["a:b", "a:c", "a:d"][..]),
        (&page.id, &["a:b", "a:c", "a:d"]),
    ] {
        let mut again = Follower::of_inbox(&confab, "name=a", Some(id));
        for (number, chat) in expected.iter().enumerate() {
            let event = again.next().await;
            assert_eq!(chat_event(&event)["chat"], *confab.chat(chat));
            let is_last = number + 1 == expected.len();
            assert_eq!(event.id == *id, !is_last, "{event:?}");
        }
    }
    let id = &first.id;
    for query in [format!("name=a&lastEventId={id}"), format!("name=a&after={id}")] {
        let mut again = Follower::of_inbox(&confab, &query, None);
        assert_eq!(chat_event(&again.next().await)["last"]["text"], "3", "{query}");
    }
    // What cannot be read, what another feed gave out, and what is too long ago: a whole page.
    let (nonce, number) = id.split_once('-').unwrap();
    let other_feed = format!("{}-{number}", nonce.parse::<u64>().unwrap() - 1);
    for wrong in ["x", "0", "1-1", &other_feed, &format!("{nonce}-9999")] {
        let mut again = Follower::of_inbox(&confab, "name=a", Some(wrong));
        assert_eq!(again.next().await.name, "inbox", "{wrong}");
    }
    confab.send_all("a:b", "b", numbers(0..70)).await;
    let mut again = Follower::of_inbox(&confab, "name=a", Some(id));
    let page = again.next().await;
    assert_eq!(
        (&*page.name, &page.data["chats"][0]["last"]["text"]),
        ("inbox", &json!("69"))
    );
}

#[tokio::test]
async fn a_feed_is_there_only_while_somebody_follows_and_its_end_is_noticed() {
    let redis = Redis::start();
    let confab = start(&redis);
    confab.send_all("a:b", "b", ["1"]).await;
    confab.read_all("a:b", "a").await;
    assert_eq!(redis.keys("*:feed").await, Vec::<String>::new());
    let (mut follower, page) = follow(&confab).await;
    assert_eq!(redis.keys("*:feed").await, [FEED]);
    let left = async || redis.command::<u64>(["PTTL", FEED]).await;
    assert!((590_000..=600_000).contains(&left().await));
    // Each heartbeat keeps it alive.
    redis.command::<()>(["PEXPIRE", FEED, "5000"]).await;
    until("a heartbeat keeps the feed", async || left().await > 590_000).await;
    let newest: Vec<(String, Vec<String>)> = redis.command(["XREVRANGE", FEED, "+", "-", "COUNT", "1"]).await;
    assert_eq!(newest[0].0, page.id, "it is another feed");

    // Gone, and nobody rings: the follower notices, and begins anew with what it could not hear of.
    redis.delete(FEED).await;
    confab.send_all("a:c", "c", ["unheard"]).await;
    let whole = follower.next().await;
    assert_eq!(
        (&*whole.name, &whole.data["chats"][0]["chat"]),
        ("inbox", &json!("a:c"))
    );
    assert_ne!(whole.id.split('-').next(), page.id.split('-').next());
    confab.send_all("a:c", "c", ["heard"]).await;
    assert_eq!(chat_event(&follower.next().await)["last"]["text"], "heard");
    // Another feed in its place, with ids below those of the old one.
    redis.delete(FEED).await;
    redis.command::<()>(["XADD", FEED, "1-0", "begins", ""]).await;
    confab.send_all("a:c", "c", ["again unheard"]).await;
    let whole = follower.next().await;
    assert_eq!(
        (&*whole.name, &whole.data["chats"][0]["last"]["text"]),
        ("inbox", &json!("again unheard"))
    );
    confab.send_all("a:c", "c", ["heard"]).await;
    assert_eq!(chat_event(&follower.next().await)["last"]["text"], "heard");
}

#[tokio::test]
async fn a_follower_has_one_redis_connection_and_releases_it() {
    let redis = Redis::start();
    let confab = start(&redis);
    confab.inbox_by("name=a").await.ok();
    let before = redis.clients().await;
    let mut followers = Vec::new();
    for _ in 0..5 {
        followers.push(follow(&confab).await);
    }
    until("all of them wait", async || redis.blocked().await == 5).await;
    assert!(
        redis.clients().await <= before + 5 + 5,
        "more than one each, and one for each instance"
    );
    drop(followers);
    until("nobody waits", async || redis.blocked().await == 0).await;
}

#[tokio::test]
async fn a_change_costs_its_follower_three_round_trips_and_a_silence_one() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("stream_heartbeat_s", 5).start();
    let (mut follower, _) = follow(&confab).await;
    let waiting = async || redis.blocked().await == 1;
    until("the follower waits", waiting).await;
    confab.send_all("a:b", "b", ["hi"]).await;
    follower.next().await;
    until("the follower waits again", waiting).await;
    let mut monitor = redis.monitor().await;
    confab.send_all("a:b", "b", ["hi"]).await;
    follower.next().await;
    until("the follower waits again", waiting).await;
    let asked = monitor.commands().await;
    let asked: Vec<_> = asked
        .iter()
        .filter(|name| !["CLIENT", "INFO"].contains(&name.as_str()))
        .collect();
    // The send; then the follower looks into its feed, reads the chat, and waits.
    assert_eq!(asked, ["EVALSHA", "EVALSHA", "EVALSHA", "XREAD"]);
}

#[tokio::test]
async fn a_stream_goes_on_when_redis_is_back_or_ends_with_a_problem_and_misses_nothing() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let confab = Confab::on(&redis)
        .variable("stream_heartbeat_s", 1)
        .variable("redis_timeout_ms", 1000)
        .start();
    let (mut follower, page) = follow(&confab).await;
    redis.kill();
    let problem = follower.next().await;
    assert_eq!(
        (&*problem.name, &problem.data["status"], &problem.id),
        ("problem", &json!(503), &page.id)
    );
    redis.restart();
    confab.send_all("a:b", "b", ["back"]).await;
    let event = follower.next_but_problems().await;
    assert_eq!(chat_event(&event)["last"]["text"], "back");
    // Without its data, Redis has no feed and no inbox.
    redis.empty().await;
    let whole = follower.next_but_problems().await;
    assert_eq!((&*whole.name, &whole.data["chats"]), ("inbox", &json!([])));
}

#[tokio::test]
async fn a_wrong_request_is_refused_and_head_has_the_headers_alone() {
    let confab = Confab::anywhere().prefer("stream_heartbeat_s", 1).start();
    for (query, field) in [
        ("", "name"),
        ("name=", "name"),
        ("name=a:b", "name"),
        ("name=a&limit=x", "limit"),
        ("name=a&name=b", "name"),
        ("name=a&lastEventId=1-1&lastEventId=1-2", "Last-Event-ID"),
    ] {
        let answer = confab.get(&format!("/api/inbox/stream?{query}")).await;
        assert_eq!(answer.problem(), (400, json!(field)), "{query}");
    }
    let head = confab.request(Method::HEAD, "/api/inbox/stream?name=a", "").await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
    ] {
        assert_eq!((head.status, head.header(name)), (200, value));
    }
    let post = TestResponse::to(confab.build(Method::POST, "/api/inbox/stream?name=a")).await;
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
    if let Some(redis) = confab.redis() {
        assert_eq!(redis.keys("*").await, Vec::<String>::new());
    }
}
