//! What a message has besides its text: it comes back byte by byte, by every route.

mod odd;

use confab_kit::wit::bindings::exports::confab::messaging::messenger::{
    Draft, FollowRequest, InboxRequest, PageRequest, Update,
};
use confab_kit::{Caller, Confab, Follower, Redis, TestResponse, log_key};
use odd::odd_data;
use reqwest::Method;
use serde_json::{Value, json};

async fn send(confab: &Confab, sender: &str, text: Option<&str>, data: &str, key: Option<&str>) -> TestResponse {
    let text = text.map_or(String::new(), |text| format!("\"text\":{},", json!(text)));
    let (chat, sender) = (confab.chat("a:b"), confab.name(sender));
    let body = format!(r#"{{"chat":"{chat}",{text}"data":{data},"sender":"{sender}"}}"#);
    let mut request = confab.build(Method::POST, "/api/send").body(body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    TestResponse::to(request).await
}

/// What stands after `"data":` in an answer whose data is at the end of a message.
fn data_of(text: &str) -> Vec<&str> {
    let after = text.split("\"data\":").skip(1);
    // The message ends with it, and a chat in an inbox goes on.
    after.collect()
}

#[tokio::test]
async fn odd_data_comes_back_byte_by_byte_on_every_route() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let mut component = Caller::new(&redis, &[]).await;
    let mut stream = confab.stream("chat=a:b&cursor=0").await;
    let mut streamed = String::new();
    for (number, (json, stored)) in odd_data().iter().enumerate() {
        // Half of them by WIT.
        if number % 2 == 0 {
            send(&confab, "a", Some("x"), json, None).await.ok();
        } else {
            let draft = Draft {
                chat: "a:b".into(),
                text: "x".into(),
                data: Some(json.clone()),
                sender: "a".into(),
                idempotency_key: None,
            };
            component.send(draft).await.unwrap();
        }
        let expected = format!("\"index\":{number},\"data\":{stored}}}");
        let page = confab.pull(json!({ "chat": "a:b", "reverse": true, "limit": 1 })).await;
        let page = String::from_utf8(page.body).unwrap();
        assert!(page.contains(&expected), "{page}");
        while !streamed.contains(&expected) {
            let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
            streamed.push_str(str::from_utf8(&chunk).unwrap());
        }
        let inbox = confab.inbox_by("name=a").await;
        let inbox = String::from_utf8(inbox.body).unwrap();
        let last = component
            .inbox(InboxRequest {
                name: "a".into(),
                limit: 1,
                before: None,
            })
            .await
            .unwrap();
        if stored.len() <= 512 {
            assert!(inbox.contains(&format!(",\"data\":{stored}}}")), "{inbox}");
            assert_eq!(
                (&last.chats[0].last.data, last.chats[0].data_cut),
                (&Some(stored.clone()), false)
            );
        } else {
            assert!(
                inbox.contains("\"data_cut\":true") && data_of(&inbox).is_empty(),
                "{inbox}"
            );
            assert_eq!((&last.chats[0].last.data, last.chats[0].data_cut), (&None, true));
        }
    }
    let all = odd_data().into_iter().map(|(_, stored)| Some(stored));
    let all: Vec<_> = all.collect();
    let request = PageRequest {
        chat: "a:b".into(),
        cursor: 0,
        limit: 1000,
        reverse: false,
        before: None,
        epoch: None,
        wait: 0,
        after: None,
        caller: None,
    };
    let page = component.pull(request).await.unwrap();
    assert_eq!(
        page.messages
            .into_iter()
            .map(|message| message.data)
            .collect::<Vec<_>>(),
        all
    );
    let request = FollowRequest {
        chat: "a:b".into(),
        after: None,
        cursor: Some(0),
        epoch: None,
        caller: None,
    };
    let updates = component.follow(request, all.len() + 1, async {}).await.unwrap();
    let followed = updates.into_iter().filter_map(|update| match update {
        Update::Message(followed) => Some(followed.message.data),
        _ => None,
    });
    assert_eq!(followed.collect::<Vec<_>>(), all);
    // It stands beside the text, which is stored as it always was.
    let entry: Value = json!(
        redis
            .command::<Vec<(String, Vec<String>)>>(["XRANGE", &log_key("a:b"), "-", "+", "COUNT", "1"])
            .await
    );
    assert_eq!(
        (&entry[0][1][1], &entry[0][1][2], &entry[0][1][3]),
        (&json!("a:x"), &json!("data"), &json!("{}"))
    );
}

#[tokio::test]
async fn data_that_is_none_is_refused_by_its_name() {
    let confab = Confab::anywhere().start();
    let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(4089));
    for (data, status) in [
        ("[]", 400),
        ("\"{}\"", 400),
        ("0", 400),
        ("true", 400),
        (r#"{"a":"\ud800"}"#, 400),
        (r#"{"a":"\udc00\ud800"}"#, 400),
        (r#"{"\uDBFFx":1}"#, 400),
        (&deep(32), 400),
        (&deep(10_000), 400),
        (&long, 413),
    ] {
        let answer = send(&confab, "a", Some("x"), data, None).await;
        assert_eq!(answer.problem(), (status, json!("data")), "{data:.80}");
    }
    // What is no JSON at all spoils the body.
    for data in ["{", "{a:1}", "{\"a\":01}", "{\"a\":\"\n\"}"] {
        assert_eq!(send(&confab, "a", Some("x"), data, None).await.status, 400, "{data}");
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, [""; 0]);
    // Null is no value, as everywhere.
    send(&confab, "a", Some("x"), "null", None).await.ok();
    let page = confab.pull(json!({ "chat": "a:b" })).await.ok();
    assert_eq!(page["messages"][0].get("data"), None);
}

#[tokio::test]
async fn a_text_may_be_empty_or_absent_if_there_is_data() {
    let confab = Confab::anywhere().start();
    send(&confab, "a", Some(""), "{\"n\":0}", None).await.ok();
    send(&confab, "a", None, "{\"n\":1}", None).await.ok();
    for text in [None, Some("")] {
        let answer = send(&confab, "a", text, "null", None).await;
        assert_eq!(answer.problem(), (400, json!("text")), "{text:?}");
    }
    let page = confab.pull(json!({ "chat": "a:b" })).await.ok();
    for (index, message) in page["messages"].as_array().unwrap().iter().enumerate() {
        assert_eq!((&message["text"], &message["data"]["n"]), (&json!(""), &json!(index)));
    }
    assert_eq!(page["messages"].as_array().unwrap().len(), 2);
    let last = confab.inbox_chat("b", "a:b").await;
    assert_eq!(
        (&last["last"]["text"], &last["last"]["data"]["n"]),
        (&json!(""), &json!(1))
    );
}

#[tokio::test]
async fn a_key_belongs_to_one_text_with_one_data() {
    let confab = Confab::anywhere().start();
    let first = send(&confab, "a", Some("hi"), "{\"a\": 1}", Some("k")).await;
    let again = send(&confab, "a", Some("hi"), " {\"a\":1 }", Some("k")).await;
    assert_eq!(
        (again.header("idempotency-replayed"), &again.body),
        ("true", &first.body)
    );
    for (text, data) in [
        ("hi", "{\"a\":2}"),
        ("hi", "null"),
        ("ho", "{\"a\":1}"),
        ("", "{\"a\":1}"),
    ] {
        let answer = send(&confab, "a", Some(text), data, Some("k")).await;
        let status = if text.is_empty() && data == "null" { 400 } else { 422 };
        assert_eq!(answer.status, status, "{text} {data}");
    }
    confab.send_keyed("a:b", "b", "hi", "k").await.ok();
    let with = send(&confab, "b", Some("hi"), "{}", Some("k")).await;
    assert_eq!(with.problem(), (422, json!("Idempotency-Key")));
}

#[tokio::test]
async fn a_page_counts_its_data() {
    let confab = Confab::anywhere().start();
    let data = format!("{{\"a\":\"{}\"}}", "x".repeat(4088));
    for _ in 0..140 {
        send(&confab, "a", Some("x"), &data, None).await.ok();
    }
    let page = confab.pull(json!({ "chat": "a:b", "limit": 1000 })).await.ok();
    // 512 KiB of what is stored.
    assert_eq!(page["messages"].as_array().unwrap().len(), 128);
    assert_eq!(confab.walk(json!({ "chat": "a:b", "limit": 1000 })).await.len(), 140);
    let mut follower = Follower::start(&confab, &format!("chat={}&cursor=0", confab.chat("a:b")), None);
    assert_eq!(follower.indexes(140).await.last(), Some(&139));
}

#[tokio::test]
async fn data_that_is_stored_wrongly_is_a_500_and_hides_nothing_else() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send("a:c", "a", "hi").await.ok();
    for fields in [
        &["data", "no"][..],
        &["data", "[]"],
        &["other", "{}"],
        &["data", "{}", "data", "{}"],
    ] {
        redis.delete(&log_key("a:b")).await;
        confab.send("a:b", "a", "hi").await.ok();
        let epoch = confab.epoch("a:b").await;
        let id = format!("{epoch}-1");
        let time = (epoch + 1).to_string();
        let log = log_key("a:b");
        let words: Vec<_> = ["XADD", &log, &id, &time, "a:x"]
            .into_iter()
            .chain(fields.iter().copied())
            .collect();
        redis.command::<String>(words).await;
        assert_eq!(confab.pull(json!({ "chat": "a:b" })).await.status, 500, "{fields:?}");
        assert_eq!(confab.texts(json!({ "chat": "a:b", "before": 1 })).await, ["hi"]);
        assert!(
            confab.inbox("a").await.iter().any(|entry| entry["chat"] == "a:c"),
            "{fields:?}"
        );
    }
}
