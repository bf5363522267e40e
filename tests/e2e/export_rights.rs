//! Who may export whose chats.

use crate::export::{asking, export, service, talk, token_with};
use confab_kit::token::{SECRET, claims, hs256, token};
use confab_kit::{Confab, Redis, TestResponse};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn nobody_exports_what_is_not_theirs_and_an_open_deployment_exports_nothing() {
    let redis = Redis::start();
    let open = Confab::start(&redis);
    talk(&open).await;
    let confab = asking(Confab::on(&redis)).start();
    let of_chat = token_with("alice", "chat", "alice:bob");
    for (token, query, status, field) in [
        (&token("alice"), "name=bob", 403, "name"),
        (&token("alice"), "name=", 403, "name"),
        (&token("alice"), "chat=bob:carol", 403, "chat"),
        (&token("alice"), "chat=alice", 400, "chat"),
        (&token("alice"), "own=yes", 400, "own"),
        (&token("alice"), "own=true&own=false", 400, "own"),
        (&of_chat, "", 403, "chat"),
        (&of_chat, "chat=alice:zoé", 403, "chat"),
        (&of_chat, "chat=alice:bob&name=bob", 403, "name"),
        (&service(), "", 400, "name"),
        (&service(), "name=a:b", 400, "name"),
        (&service(), "name=carol&chat=alice:bob", 400, "name"),
    ] {
        let answer = export(&confab, token, query).await;
        assert_eq!(answer.problem(), (status, json!(field)), "{query}");
    }
    for query in ["", "name=alice", "name=alice&chat=alice:bob"] {
        let answer = export(&open, &token("alice"), query).await;
        assert_eq!(answer.problem(), (403, Value::Null), "{query}");
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains("auth = required"), "{detail}");
        assert_eq!(answer.header("www-authenticate"), "");
    }
    // A browser's download has its token in the query.
    let short = hs256(SECRET, &claims("alice", 60));
    for (token, status) in [(&short, 200), (&token("alice"), 401)] {
        let answer = confab.without_token(Method::GET, &format!("/api/export?access_token={token}"));
        assert_eq!(TestResponse::any(answer).await.status, status);
    }
    let head = confab.without_token(Method::HEAD, "/api/export").bearer_auth(&short);
    let head = TestResponse::to(head).await;
    assert_eq!(
        (head.status, head.header("content-type")),
        (200, "application/x-ndjson")
    );
}
