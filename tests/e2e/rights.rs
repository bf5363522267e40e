//! Who may do what, by both transports.

use confab_kit::token::{SECRET, claims, hs256};
use confab_kit::wit::bindings::exports::confab::messaging::messenger::{Draft, Error, FollowRequest, PageRequest};
use confab_kit::{Caller, Confab, Redis, TestResponse, texts};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Instant;

/// confab with identity on, whose log of alice and bob has one message.
async fn start(redis: &Redis) -> Confab {
    Confab::start(redis).send("alice:bob", "alice", "hi").await.ok();
    let confab = Confab::on(redis).variable("auth", "required");
    confab.variable("auth_secret", SECRET).start()
}

/// A token of this person, with more claims.
fn token(name: &str, extra: &[(&str, &str)]) -> String {
    let mut claims = claims(name, 60);
    for (name, value) in extra {
        claims[*name] = json!(value);
    }
    hs256(SECRET, &claims)
}

async fn send(confab: &Confab, token: &str, body: Value) -> TestResponse {
    let request = confab.build(Method::POST, "/api/send").bearer_auth(token);
    TestResponse::to(request.body(body.to_string())).await
}

/// The texts of a chat, in Redis's own order.
async fn senders(redis: &Redis, chat: &str) -> Vec<String> {
    let page = Confab::start(redis).pull(json!({ "chat": chat })).await.ok();
    let messages = page["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["sender"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_caller_sends_as_oneself_and_a_service_as_anybody() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    let (bob, carol) = (token("Bob", &[]), token("carol", &[]));
    let backend = token("backend", &[("scope", "openid confab:service")]);
    let in_chat = token("bob", &[("chat", "BOB:alice")]);
    let message = |sender: &str| json!({ "chat": "alice:bob", "text": "hi", "sender": sender });
    let unnamed = json!({ "chat": "alice:bob", "text": "hi" });
    for (token, body) in [
        (&bob, &unnamed),
        (&bob, &message("bob")),
        (&bob, &message("BOB")),
        (&in_chat, &unnamed),
        (&backend, &message("alice")),
    ] {
        send(&confab, token, body.clone()).await.ok();
    }
    let expected = ["alice", "Bob", "bob", "BOB", "bob", "alice"];
    assert_eq!(senders(&redis, "alice:bob").await, expected);

    for (token, body, status, field) in [
        (&bob, message("alice"), 403, "sender"),
        (&bob, message("carol"), 403, "sender"),
        // A fault of the message itself comes after.
        (
            &bob,
            json!({ "chat": "alice:bob", "text": "", "sender": "alice" }),
            403,
            "sender",
        ),
        (&carol, unnamed.clone(), 403, "chat"),
        (&carol, message("alice"), 403, "chat"),
        (&carol, message("carol"), 403, "chat"),
        (&in_chat, json!({ "chat": "bob:carol", "text": "hi" }), 403, "chat"),
        (&backend, unnamed, 400, "sender"),
        (&backend, message("backend"), 400, "sender"),
        (&bob, json!({ "chat": "bob", "text": "hi" }), 400, "chat"),
    ] {
        let answer = send(&confab, token, body.clone()).await;
        assert_eq!(answer.problem(), (status, json!(field)), "{body}");
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge.contains("insufficient_scope"), status == 403, "{challenge}");
        let kind = if status == 403 {
            "/problems/forbidden"
        } else {
            "/problems/invalid"
        };
        assert_eq!(answer.json()["type"], kind);
    }
    assert_eq!(senders(&redis, "alice:bob").await, expected);
}

#[tokio::test]
async fn a_caller_reads_own_chats_and_a_service_any() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    for (token, status) in [
        (token("alice", &[]), 200),
        (token("BOB", &[("chat", "bob:alice")]), 200),
        (token("backend", &[("scope", "confab:service")]), 200),
        (token("carol", &[]), 403),
        (token("alice", &[("chat", "alice:carol")]), 403),
        (token("backend", &[("scope", "confab:service"), ("chat", "a:b")]), 403),
        (token("backend", &[("scope", "confab")]), 403),
    ] {
        let build = |method, path: &str| confab.build(method, path).bearer_auth(&token);
        let pulled = TestResponse::to(build(Method::GET, "/api/pull?chat=alice:bob")).await;
        let stream = build(Method::GET, "/api/stream?chat=alice:bob").send().await.unwrap();
        let head = TestResponse::to(build(Method::HEAD, "/api/stream?chat=alice:bob")).await;
        assert_eq!(
            (pulled.status, stream.status().as_u16(), head.status),
            (status, status, status)
        );
        if status == 200 {
            assert_eq!(texts(&pulled.json()), ["hi"]);
        } else {
            assert_eq!(pulled.problem(), (403, json!("chat")));
            assert!(!String::from_utf8_lossy(&pulled.body).contains("hi\""));
        }
    }
}

#[tokio::test]
async fn a_waiting_pull_ends_when_its_token_does() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    // Good for 30 s after it expires: for 2 s more.
    let token = hs256(SECRET, &claims("alice", -28));
    let pull = async || {
        let path = "/api/pull?chat=alice:bob&cursor=1&wait=20";
        TestResponse::to(confab.build(Method::GET, path).bearer_auth(&token)).await
    };
    let began = Instant::now();
    let page = pull().await;
    let waited = began.elapsed();
    assert_eq!(page.ok()["messages"], json!([]));
    assert!((1..10).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(pull().await.status, 401);
}

#[tokio::test]
async fn a_caller_has_own_inbox_and_own_marks() {
    let redis = Redis::start();
    let confab = start(&redis).await;
    let backend = token("backend", &[("scope", "confab:service")]);
    let (bob, in_chat) = (token("Bob", &[]), token("bob", &[("chat", "bob:alice")]));
    let mark = |name: Option<&str>, chat: &str| match name {
        Some(name) => json!({ "name": name, "chat": chat, "index": 0 }),
        None => json!({ "chat": chat, "index": 0 }),
    };
    for (token, name, status, field) in [
        (&bob, None, 200, Value::Null),
        (&bob, Some("BOB"), 200, Value::Null),
        (&backend, Some("bob"), 200, Value::Null),
        (&bob, Some("alice"), 403, json!("name")),
        (&bob, Some(""), 403, json!("name")),
        (&backend, None, 400, json!("name")),
    ] {
        let query = name.map_or(String::new(), |name| format!("?name={name}"));
        for path in ["/api/inbox", "/api/inbox/stream"] {
            let request = confab.build(Method::GET, &format!("{path}{query}")).bearer_auth(token);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), status, "{path} {name:?}");
        }
        let request = confab.build(Method::POST, "/api/read").bearer_auth(token);
        let read = TestResponse::to(request.body(mark(name, "alice:bob").to_string())).await;
        assert_eq!(read.status, status, "{name:?}");
        if status != 200 {
            assert_eq!(read.problem(), (status, field), "{name:?}");
        }
    }
    // A token of one chat marks that one, and has no inbox.
    for (chat, status) in [("alice:bob", 200), ("bob:carol", 403)] {
        let request = confab.build(Method::POST, "/api/read").bearer_auth(&in_chat);
        let read = TestResponse::to(request.body(mark(None, chat).to_string())).await;
        assert_eq!(read.status, status, "{chat}");
    }
    for path in ["/api/inbox", "/api/inbox/stream"] {
        let answer = TestResponse::to(confab.build(Method::GET, path).bearer_auth(&in_chat)).await;
        assert_eq!(answer.problem(), (403, json!("name")));
    }
}

#[tokio::test]
async fn another_component_names_its_caller() {
    let redis = Redis::start();
    Confab::start(&redis).send("alice:bob", "alice", "hi").await.ok();
    // It is trusted, so that no token is needed even if HTTP needs one.
    let variables = [("auth", "required"), ("auth_secret", SECRET)];
    let mut component = Caller::new(&redis, &variables).await;
    let page = |caller: Option<&str>| PageRequest {
        chat: "alice:bob".into(),
        cursor: 0,
        limit: 0,
        reverse: false,
        before: None,
        epoch: None,
        wait: 0,
        after: None,
        caller: caller.map(Into::into),
    };
    let follow = |caller: Option<&str>| FollowRequest {
        chat: "alice:bob".into(),
        after: None,
        cursor: Some(0),
        epoch: None,
        caller: caller.map(Into::into),
    };
    let draft = |sender: &str| Draft {
        chat: "alice:bob".into(),
        text: "ho".into(),
        data: None,
        sender: sender.into(),
        idempotency_key: None,
    };
    for caller in [None, Some("alice"), Some("BOB")] {
        assert_eq!(
            component.pull(page(caller)).await.unwrap().messages.len(),
            1,
            "{caller:?}"
        );
        assert_eq!(
            component.follow(follow(caller), 2, async {}).await.unwrap().len(),
            2,
            "{caller:?}"
        );
    }
    for caller in ["carol", "backend"] {
        let refused = component.pull(page(Some(caller))).await.unwrap_err();
        assert!(
            matches!(&refused, Error::Forbidden(why) if why.starts_with("chat ")),
            "{refused:?}"
        );
        let refused = component.follow(follow(Some(caller)), 1, async {}).await.unwrap_err();
        assert!(matches!(refused, Error::Forbidden(_)), "{refused:?}");
        let refused = component.send(draft(caller)).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
    }
    let wrong = component.pull(page(Some("alice:bob"))).await.unwrap_err();
    assert!(
        matches!(&wrong, Error::Invalid(why) if why.field.as_deref() == Some("caller")),
        "{wrong:?}"
    );
    component.send(draft("bob")).await.unwrap();
}
