//! Who is who: `/api/me`, and the `member` of every message.

use confab_kit::token::{SECRET, claims, hs256};
use confab_kit::{Confab, Follower, Port, Redis};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn me_says_who_calls_and_what_a_client_must_know_without_redis() {
    let nothing = Port::reserve();
    let variables = [
        ("stream_heartbeat_s", 7),
        ("request_timeout_ms", 9000),
        ("idempotency_window_s", 3600),
    ];
    let builder = variables
        .into_iter()
        .fold(Confab::on(&nothing), |builder, (name, value)| {
            builder.variable(name, value)
        });
    let open = builder.start();
    let expected = json!({
        "name": null, "auth": "open", "stream_heartbeat_s": 7, "request_timeout_ms": 9000, "idempotency_window_s": 3600,
        "max_text_bytes": 65536, "max_page_messages": 1000,
    });
    assert_eq!(open.get("/api/me").await.ok(), expected);
    for (query, name) in [
        ("name=%C3%96DON&x", "ödon"),
        ("name=Alice", "alice"),
        ("name=%CE%A3%CF%82", "σσ"),
    ] {
        assert_eq!(
            open.get(&format!("/api/me?{query}")).await.ok()["name"],
            name,
            "{query}"
        );
    }
    for query in ["name=", "name=a:b", "name=%0A", "name=a&name=b"] {
        let answer = open.get(&format!("/api/me?{query}")).await;
        assert_eq!(answer.problem(), (400, json!("name")), "{query}");
    }
    let long = open.get(&format!("/api/me?name={}", "a".repeat(65))).await;
    assert_eq!(long.problem(), (400, json!("name")));
}

#[tokio::test]
async fn a_key_is_remembered_for_a_minute_at_least() {
    let nothing = Port::reserve();
    let confab = Confab::on(&nothing).variable("idempotency_window_s", 1).start();
    assert_eq!(confab.get("/api/me").await.ok()["idempotency_window_s"], 60);
}

#[tokio::test]
async fn a_token_says_who_calls_and_no_query_does() {
    let redis = Redis::start();
    let confab = Confab::on(&redis)
        .variable("auth", "required")
        .variable("auth_secret", SECRET)
        .start();
    let token = hs256(SECRET, &claims("Ὀδυσσεύς", 60));
    let request = confab.build(Method::GET, "/api/me?name=bob").bearer_auth(token);
    let me: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!((&me["name"], &me["auth"]), (&json!("ὀδυσσεύσ"), &json!("required")));
}

/// A client compares names that confab has folded, and folds none itself.
#[tokio::test]
async fn every_message_has_its_sender_in_the_one_form() {
    let confab = Confab::anywhere().persons_send().start();
    for (chat, sender, member) in [
        ("Bella:x", "Bella", "bella"),
        ("Οδυσσεύς:x", "ΟΔΥΣΣΕΎΣ", "οδυσσεύσ"),
        ("ſam:x", "Sam", "sam"),
        ("zoe\u{301}:x", "ZOE\u{301}", "zoé"),
        ("x:İ", "x", "x"),
    ] {
        confab.send(chat, sender, "hi").await.ok();
        confab.send(chat, &member.to_uppercase(), "ho").await.ok();
        let member = confab.name(member);
        let page = confab.pull(json!({ "chat": chat })).await.ok();
        for message in page["messages"].as_array().unwrap() {
            assert_eq!(message["member"], member, "{message}");
        }
        assert_eq!(page["messages"][0]["sender"], confab.name(sender));
        let inbox = confab.inbox(sender).await;
        assert_eq!(inbox[0]["last"]["member"], member);
        let query = format!("chat={}&cursor=0", confab.chat(chat));
        let mut follower = Follower::start(&confab, &query, None).opened().await;
        assert_eq!(follower.next().await.data["member"], member);
    }
}
