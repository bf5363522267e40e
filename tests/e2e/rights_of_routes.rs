//! Every route with every kind of caller: the table in docs/identity.md.

use confab_kit::token::{SECRET, claims, hs256};
use confab_kit::{Confab, Redis};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The callers: alice, alice with a token of this chat and of another, carol, the service, and nobody.
const CALLERS: usize = 6;

/// A request, and what it is answered to each caller.
struct Row(Method, &'static str, Option<Value>, [u16; CALLERS]);

fn rows() -> Vec<Row> {
    let get = |path, statuses| Row(Method::GET, path, None, statuses);
    let post = |path, body: Value, statuses| Row(Method::POST, path, Some(body), statuses);
    let set = |mut body: Value| {
        body["chat"] = json!("alice:bob");
        body
    };
    let in_chat = [200, 200, 403, 403, 200, 401];
    let as_alice = [200, 200, 403, 403, 200, 401];
    let unnamed = [200, 200, 403, 403, 400, 401];
    let service = [403, 403, 403, 403, 200, 401];
    // Nothing has that epoch: who may, is told so.
    let gone = [410, 410, 403, 403, 410, 401];
    let message = json!({ "epoch": 1, "index": 0, "send_time": 1 });
    vec![
        post("/api/delete", set(message), gone),
        post(
            "/api/delete",
            set(json!({ "epoch": 1 })),
            [400, 400, 403, 403, 410, 401],
        ),
        get("/ping", [200; CALLERS]),
        get("/ready", [200; CALLERS]),
        get("/openapi.json", [200; CALLERS]),
        get("/api/me", [200, 200, 200, 200, 200, 401]),
        get("/api/pull?chat=alice:bob", in_chat),
        get("/api/stream?chat=alice:bob", in_chat),
        get("/api/inbox", [200, 403, 403, 200, 400, 401]),
        get("/api/inbox?name=alice", [200, 403, 403, 403, 200, 401]),
        get("/api/inbox/stream", [200, 403, 403, 200, 400, 401]),
        get("/api/inbox/stream?name=alice", [200, 403, 403, 403, 200, 401]),
        get("/api/export", [200, 403, 403, 200, 400, 401]),
        get("/api/export?name=alice", [200, 403, 403, 403, 200, 401]),
        get("/api/export?chat=alice:bob", unnamed),
        get("/api/export?chat=alice:bob&name=alice", as_alice),
        post("/api/send", json!({ "chat": "alice:bob", "text": "hi" }), unnamed),
        post(
            "/api/send",
            json!({ "chat": "alice:bob", "text": "hi", "sender": "alice" }),
            as_alice,
        ),
        post(
            "/api/send",
            json!({ "chat": "alice:bob", "text": "hi", "sender": "bob" }),
            service,
        ),
        post("/api/read", set(json!({ "index": 0 })), unnamed),
        post("/api/read", set(json!({ "index": 0, "name": "alice" })), as_alice),
        post("/api/read", set(json!({ "index": 0, "name": "bob" })), service),
        post("/api/chat", set(json!({ "muted": false })), unnamed),
        post("/api/chat", set(json!({ "muted": false, "name": "alice" })), as_alice),
        post("/api/chat", set(json!({ "blocked": false, "name": "bob" })), service),
        post("/api/chat", set(json!({ "open": true })), service),
        post(
            "/api/chat",
            set(json!({ "open": true, "muted": false, "name": "alice" })),
            service,
        ),
    ]
}

#[tokio::test]
async fn each_route_lets_in_whom_the_table_names() {
    let redis = Redis::start();
    Confab::start(&redis).send("alice:bob", "alice", "hi").await.ok();
    let confab = Confab::on(&redis)
        .variable("auth", "required")
        .variable("auth_secret", SECRET)
        .start();
    let token = |name: &str, extra: &[(&str, &str)]| {
        let mut claims = claims(name, 60);
        for (name, value) in extra {
            claims[*name] = json!(value);
        }
        Some(hs256(SECRET, &claims))
    };
    let callers: [_; CALLERS] = [
        token("Alice", &[]),
        token("alice", &[("chat", "bob:ALICE")]),
        token("alice", &[("chat", "alice:carol")]),
        token("carol", &[]),
        token("backend", &[("scope", "confab:service")]),
        None,
    ];
    let mut tried = BTreeSet::new();
    for Row(method, path, body, statuses) in rows() {
        tried.insert(path.split('?').next().unwrap());
        for (number, (caller, status)) in callers.iter().zip(statuses).enumerate() {
            let mut request = confab.without_token(method.clone(), path);
            if let Some(token) = caller {
                request = request.bearer_auth(token);
            }
            if let Some(body) = &body {
                request = request.body(body.to_string());
            }
            // The answer of a stream has no end.
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path} {body:?} by caller {number}");
        }
    }
    let routes = confab.routes().await.into_iter().map(|(_, path)| path);
    let untried: Vec<_> = routes
        .filter(|path| path.starts_with("/api/") && !tried.contains(path.as_str()))
        .collect();
    assert_eq!(untried, [""; 0], "a route that the table does not have");
}
