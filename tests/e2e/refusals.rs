//! Wrong values and sizes over a limit: the status, and the field at fault.

use confab_kit::Confab;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_wrong_send_is_refused_with_the_field_at_fault_and_nothing_is_stored() {
    let confab = Confab::anywhere().start();
    let (chat, a) = (confab.chat("a:b"), confab.name("a"));
    let long_name = "x".repeat(65);
    for (body, field) in [
        (String::new(), Value::Null),
        ("null".into(), Value::Null),
        ("{".into(), Value::Null),
        (r#"["a:b","hi","a"]"#.into(), Value::Null),
        (confab.body("a:b", "a", "hi") + "}", Value::Null),
        (json!({ "text": "hi", "sender": "a" }).to_string(), json!("chat")),
        (
            json!({ "chat": "", "text": "hi", "sender": "" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": "ab", "text": "hi", "sender": "a" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": "a:b:c", "text": "hi", "sender": "a" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": ":b", "text": "hi", "sender": "b" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": confab.chat("a:b\n"), "text": "hi", "sender": "a" }).to_string(),
            json!("chat"),
        ),
        (
            json!({ "chat": confab.chat(&format!("a:{long_name}")), "text": "hi", "sender": "a" }).to_string(),
            json!("chat"),
        ),
        (json!({ "chat": chat, "sender": a }).to_string(), json!("text")),
        (
            json!({ "chat": chat, "text": "", "sender": a }).to_string(),
            json!("text"),
        ),
        (
            json!({ "chat": chat, "text": null, "sender": a }).to_string(),
            json!("text"),
        ),
        (
            json!({ "chat": chat, "text": 7, "sender": a }).to_string(),
            json!("text"),
        ),
        (json!({ "chat": chat, "text": "hi" }).to_string(), json!("sender")),
        (
            json!({ "chat": chat, "text": "hi", "sender": "c" }).to_string(),
            json!("sender"),
        ),
        (
            json!({ "chat": chat, "text": "hi", "sender": "" }).to_string(),
            json!("sender"),
        ),
    ] {
        assert_eq!(confab.post(body.clone()).await.problem(), (400, field), "{body}");
    }
    if let Some(redis) = confab.redis() {
        assert_eq!(redis.keys("*").await, Vec::<String>::new());
    }
    assert_eq!(confab.log(), "", "mistakes of clients do not belong in the server log");
}

#[tokio::test]
async fn a_wrong_pull_is_refused_with_the_field_at_fault() {
    let confab = Confab::anywhere().start();
    for (field, value) in [
        ("chat", json!(null)),
        ("chat", json!("a")),
        ("chat", json!(5)),
        ("cursor", json!(-1)),
        ("cursor", json!("0")),
        ("cursor", json!(0.5)),
        ("limit", json!(-1)),
        ("limit", json!(-2_147_483_648)),
        ("limit", json!([])),
        ("reverse", json!("true")),
        ("reverse", json!(1)),
        ("before", json!(-9)),
        ("epoch", json!(-1)),
        ("epoch", json!("17")),
    ] {
        let mut request = json!({ "chat": "a:b" });
        request[field] = value;
        let wrong = request.to_string();
        assert_eq!(confab.pull(request).await.problem(), (400, json!(field)), "{wrong}");
    }
    for (query, field) in [
        ("", json!("chat")),
        ("?chat=", json!("chat")),
        ("?chat=a:b&limit=-1", json!("limit")),
        ("?chat=a:b&limit=ten", json!("limit")),
        ("?chat=a:b&cursor=99999999999999999999", json!("cursor")),
        ("?chat=a:b&reverse=yes", json!("reverse")),
        ("?chat=a:b&before=", json!("before")),
        ("?chat=a:b&epoch=x", json!("epoch")),
        ("?chat=a:b&chat=c:d", json!("chat")),
    ] {
        let answer = confab.get(&format!("/api/pull{query}")).await;
        assert_eq!(answer.problem(), (400, field), "{query}");
    }
}

#[tokio::test]
async fn a_size_over_its_limit_is_413_and_the_limit_itself_is_accepted() {
    let confab = Confab::anywhere().start();
    let (name, text) = ("é".repeat(64 - confab.name("").len()), "é".repeat(32 * 1024));
    confab.send(&format!("{name}:b"), &name, &text).await.ok();
    assert_eq!(
        confab.texts(json!({ "chat": format!("b:{name}") })).await,
        [text.as_str()]
    );

    // The longest text in the longest spelling, as Python and PHP write what is beyond ASCII.
    let escaped = r"\u0451".repeat(32 * 1024);
    let body = confab.body("c:d", "c", "TEXT");
    confab.post(body.replace("TEXT", &escaped)).await.ok();
    assert_eq!(
        confab.texts(json!({ "chat": "c:d" })).await,
        ["\u{451}".repeat(32 * 1024)]
    );
    let control = r"\u0001".repeat(64 * 1024);
    confab.post(body.replace("TEXT", &control)).await.ok();

    let answer = confab.send("a:b", "a", &format!("{text}x")).await;
    assert_eq!(answer.problem(), (413, json!("text")));

    let mut body = confab.body("a:b", "a", "hi");
    body.push_str(&" ".repeat((6 * 64 + 16) * 1024 - body.len()));
    confab.post(body.clone()).await.ok();
    assert_eq!(confab.post(body.clone() + " ").await.problem(), (413, Value::Null));
    assert_eq!(
        confab.request(Method::GET, "/api/pull", body + " ").await.problem(),
        (413, Value::Null)
    );
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi"]);
}
