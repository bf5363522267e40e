//! A person's copy of their chats: what it has.

use confab_kit::token::{SECRET, claims, hs256, token};
use confab_kit::{Builder, Cluster, Confab, Redis, TestResponse, log_key};
use reqwest::{Method, Response};
use serde_json::{Value, json};

pub(crate) const EPOCH: u64 = 1_700_000_000_000_000;

/// confab with identity on.
pub(crate) fn asking(builder: Builder) -> Builder {
    builder.variable("auth", "required").variable("auth_secret", SECRET)
}

/// A token of this person with one more claim.
pub(crate) fn token_with(name: &str, claim: &str, value: &str) -> String {
    let mut claims = claims(name, 3600);
    claims[claim] = json!(value);
    hs256(SECRET, &claims)
}

/// The token of the app's own backend.
pub(crate) fn service() -> String {
    token_with("backend", "scope", "confab:service")
}

/// Begins an export, and returns as soon as its answer has begun.
pub(crate) async fn begin(confab: &Confab, token: &str, query: &str) -> Response {
    let request = confab.without_token(Method::GET, &format!("/api/export?{query}"));
    request.bearer_auth(token).send().await.unwrap()
}

pub(crate) async fn export(confab: &Confab, token: &str, query: &str) -> TestResponse {
    let request = confab.without_token(Method::GET, &format!("/api/export?{query}"));
    TestResponse::to(request.bearer_auth(token)).await
}

/// Writes messages of 0 and on into a chat log by hand, and puts the chat into the inbox of its second member.
pub(crate) async fn fill(redis: &Redis, chat: &str, texts: impl IntoIterator<Item = &str>) {
    let (first, second) = chat.split_once(':').unwrap();
    let mut fill = redis::pipe();
    for (index, text) in (0..).zip(texts) {
        fill.cmd("XADD").arg(log_key(chat)).arg(format!("{EPOCH}-{index}"));
        fill.arg(EPOCH + index).arg(format!("{first}:{text}")).ignore();
        fill.zadd(format!("confab:{{{second}}}:inbox"), chat, EPOCH + index)
            .ignore();
    }
    let () = fill.query_async(&mut redis.connect().await).await.unwrap();
}

/// The lines of an export, as far as they came.
pub(crate) fn lines(body: &[u8]) -> Vec<Value> {
    let lines = str::from_utf8(body).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether a client may take it for whole, as docs/api.md says.
fn is_whole(body: &[u8]) -> bool {
    let last = body
        .strip_suffix(b"\n")
        .and_then(|body| body.split(|byte| *byte == b'\n').next_back());
    let last: Option<Value> = last.and_then(|line| serde_json::from_slice(line).ok());
    last.is_some_and(|last| last["end"] == json!(true))
}

/// The messages of a chat among the lines.
pub(crate) fn messages(lines: &[Value], chat: &str) -> Vec<Value> {
    let messages = lines
        .iter()
        .filter(|line| line["chat"] == chat && line["index"].is_u64());
    messages.cloned().collect()
}

/// The chats of the lines, in their order.
pub(crate) fn chats(lines: &[Value]) -> Vec<&str> {
    let chats = lines.iter().filter(|line| line["with"].is_string());
    chats.map(|line| line["chat"].as_str().unwrap()).collect()
}

/// Sends messages in four chats of alice and one of others.
pub(crate) async fn talk(confab: &Confab) {
    for number in 0..30 {
        let sender = ["Alice", "bob", "ALICE"][number % 3];
        confab
            .send("alice:bob", sender, &format!("{number}\n\u{2028}\""))
            .await
            .ok();
    }
    confab
        .send_data("alice:bob", "bob", &json!({ "n": [1.50, "é"] }), &[])
        .await
        .ok();
    confab.send("Zoé:alice", "zoé", "hi").await.ok();
    confab.send("alice:alice", "alice", "a note").await.ok();
    confab.send("bob:carol", "carol", "not alice's").await.ok();
}

#[tokio::test]
async fn an_export_has_what_a_walk_through_each_chat_finds() {
    let redis = Redis::start();
    let open = Confab::start(&redis);
    talk(&open).await;
    let texts: Vec<_> = (0..1300)
        .map(|number| format!("{number} ").repeat(number % 50))
        .collect();
    // By hand, so that it takes several pages: `0:alice` is alice's.
    fill(&redis, "0:alice", texts.iter().map(String::as_str)).await;
    open.read(json!({ "chat": "alice:bob", "name": "alice", "index": 7 }))
        .await
        .ok();
    open.set(json!({ "chat": "alice:bob", "name": "alice", "muted": true }))
        .await
        .ok();
    let confab = asking(Confab::on(&redis)).start();
    let expected = ["0:alice", "alice:alice", "alice:bob", "alice:zoé"];
    for (token, query, own) in [
        (token("ALICE"), "", false),
        (service(), "name=Alice", false),
        (token("alice"), "own=true", true),
    ] {
        let answer = export(&confab, &token, query).await;
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(is_whole(&answer.body));
        // Where some readers split lines.
        assert!(!str::from_utf8(&answer.body).unwrap().contains('\u{2028}'));
        let lines = lines(&answer.body);
        let person = if own {
            json!({ "name": "alice", "own": true })
        } else {
            json!({ "name": "alice" })
        };
        assert_eq!(lines[0], person);
        assert_eq!(chats(&lines), expected);
        let mut count = 0;
        for chat in expected {
            let mut walk = open.walk(json!({ "chat": chat, "limit": 1000 })).await;
            walk.retain(|message| !own || message["member"] == "alice");
            assert_eq!(messages(&lines, chat), walk, "{chat}");
            count += walk.len();
        }
        let end = json!({ "end": true, "chats": 4, "messages": count, "removed": 0 });
        assert_eq!(lines.last(), Some(&end));
        assert_eq!(lines.len(), count + 6);
        let of_bob = lines.iter().find(|line| line["with"] == "bob").unwrap();
        let epoch = open.epoch("alice:bob").await;
        let line = json!({ "chat": "alice:bob", "with": "bob", "epoch": epoch, "read": 30, "muted": true });
        assert_eq!(*of_bob, line);
    }
    let answer = export(&confab, &token("nobody"), "").await;
    let end = json!({ "end": true, "chats": 0, "messages": 0, "removed": 0 });
    assert_eq!(lines(&answer.body), [json!({ "name": "nobody" }), end]);
    assert_eq!(confab.log(), "");
}

#[tokio::test]
async fn one_chat_is_exported_alone_also_one_that_no_inbox_has() {
    let redis = Redis::start();
    let open = Confab::start(&redis);
    talk(&open).await;
    redis.delete("confab:{alice}:inbox").await;
    let confab = asking(Confab::on(&redis)).start();
    let walk = open.walk(json!({ "chat": "alice:bob", "limit": 1000 })).await;
    let of_chat = token_with("alice", "chat", "BOB:alice");
    for (token, query) in [
        (&token("alice"), "chat=Bob:alice"),
        (&of_chat, "chat=alice:bob&name=ALICE"),
        (&service(), "chat=alice:bob&name=bob"),
    ] {
        let lines = lines(&export(&confab, token, query).await.body);
        assert_eq!(chats(&lines), ["alice:bob"], "{query}");
        assert_eq!(messages(&lines, "alice:bob"), walk);
    }
    let lines = lines(&export(&confab, &token("alice"), "chat=alice:nobody").await.body);
    assert_eq!((chats(&lines).len(), &lines[1]["chats"]), (0, &json!(0)));
}

#[tokio::test]
async fn an_export_that_is_cut_anywhere_does_not_look_whole() {
    let redis = Redis::start();
    let open = Confab::start(&redis);
    let lie = "{\"end\":true,\"chats\":1,\"messages\":1,\"removed\":0}";
    open.send_all("alice:bob", "bob", vec![&*format!("\n{lie}\n"); 50])
        .await;
    open.send_data("alice:bob", "bob", &serde_json::from_str(lie).unwrap(), &[])
        .await
        .ok();
    let confab = asking(Confab::on(&redis)).start();
    let body = export(&confab, &token("alice"), "").await.body;
    assert!(is_whole(&body));
    let own_ends = body.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let at_ends: Vec<_> = own_ends.map(|(at, _)| at + 1).filter(|at| *at < body.len()).collect();
    assert_eq!(at_ends.len(), 53);
    let at_random = (0..20).map(|_| fastrand::usize(..body.len()));
    for cut in at_ends.into_iter().chain(at_random) {
        assert!(!is_whole(&body[..cut]), "cut at {cut}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_exports_the_chats_of_all_nodes() {
    let cluster = Cluster::start().await;
    let open = Confab::on_cluster(&cluster).start();
    for number in 10..40 {
        open.send_all(&format!("alice:p{number}"), "alice", ["one", "two"])
            .await;
    }
    let confab = asking(Confab::on_cluster(&cluster)).start();
    let lines = lines(&export(&confab, &token("alice"), "").await.body);
    let end = json!({ "end": true, "chats": 30, "messages": 60, "removed": 0 });
    assert_eq!(lines.last(), Some(&end));
}
