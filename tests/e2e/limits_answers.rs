//! Whom `send_limit` limits, and what answers say of it.

use crate::limits::{limit, limited, refused, send};
use confab_kit::token::{SECRET, claims, hs256, token};
use confab_kit::wit::bindings::exports::confab::messaging::messenger::Draft;
use confab_kit::{Caller, Confab, Redis, TestResponse, log_key};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_service_and_another_component_have_no_quota() {
    let redis = Redis::start();
    let confab = limited(&redis, 1, 3600).start();
    let alice = token("alice");
    send(&confab, &alice, "hi", None).await.ok();
    refused(&send(&confab, &alice, "hi", None).await);
    let mut claims = claims("backend", 60);
    claims["scope"] = json!("confab:service");
    let backend = hs256(SECRET, &claims);
    for _ in 0..3 {
        let body = json!({ "chat": "alice:bob", "text": "hi", "sender": "alice" }).to_string();
        let request = confab.build(Method::POST, "/api/send").bearer_auth(&backend).body(body);
        let sent = TestResponse::to(request).await;
        assert_eq!(limit(&sent), ["", ""]);
        sent.ok();
    }
    let variables = [("auth", "required"), ("auth_secret", SECRET), ("send_limit", "1")];
    let mut component = Caller::new(&redis, &variables).await;
    for _ in 0..3 {
        let draft = Draft {
            chat: "alice:bob".into(),
            text: "hi".into(),
            data: None,
            sender: "alice".into(),
            idempotency_key: None,
        };
        component.send(draft).await.unwrap();
    }
    let stored: usize = redis.command(["XLEN", &log_key("alice:bob")]).await;
    assert_eq!(stored, 7);
}

#[tokio::test]
async fn only_sends_say_what_is_left_and_only_if_there_is_a_limit() {
    let redis = Redis::start();
    let alice = token("alice");
    for (limited_to, expected) in [(0, ["", ""]), (9, ["\"sends\";q=9;w=9", "\"sends\";r=8;t=1"])] {
        let confab = limited(&redis, limited_to, 9).start();
        assert_eq!(limit(&send(&confab, &alice, "hi", None).await), expected);
        for (body, status) in [
            (json!({ "chat": "alice:bob", "text": "" }), 400),
            (json!({ "chat": "bob:carol", "text": "hi" }), 403),
        ] {
            let request = confab.build(Method::POST, "/api/send").bearer_auth(&alice);
            let answer = TestResponse::to(request.body(body.to_string())).await;
            assert_eq!((answer.status, limit(&answer)), (status, ["", ""]));
        }
        for path in ["/api/me", "/api/pull?chat=alice:bob", "/api/inbox", "/ping"] {
            let answer = TestResponse::to(confab.build(Method::GET, path).bearer_auth(&alice)).await;
            assert_eq!((answer.status, limit(&answer)), (200, ["", ""]), "{path}");
        }
    }
}

#[tokio::test]
async fn a_limit_without_identity_is_a_500_that_names_the_variable() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("send_limit", 1).start();
    assert_eq!(confab.send("a:b", "a", "hi").await.problem(), (500, Value::Null));
    assert_eq!(confab.get("/ready").await.status, 500);
    assert_eq!(confab.get("/ping").await.status, 200);
    confab
        .logged("the variable send_limit is set, so the variable auth must be required")
        .await;
    assert_eq!(redis.keys("*").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_page_of_another_origin_reads_what_is_left() {
    let redis = Redis::start();
    let page = "https://app.example";
    let confab = limited(&redis, 1, 60).variable("cors_origins", page).start();
    for status in [200, 429] {
        let body = json!({ "chat": "alice:bob", "text": "hi" }).to_string();
        let request = confab.build(Method::POST, "/api/send").bearer_auth(token("alice"));
        let answer = TestResponse::to(request.header("origin", page).body(body)).await;
        assert_eq!(answer.status, status);
        let exposed = answer.header("access-control-expose-headers");
        for name in ["RateLimit", "RateLimit-Policy", "Retry-After"] {
            assert!(exposed.split(", ").any(|exposed| exposed == name), "{exposed}");
        }
    }
}
