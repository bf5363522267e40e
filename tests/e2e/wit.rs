//! The WIT interface of the same component, called as another component would call it.

use confab_kit::wit::bindings::exports::confab::messaging::messenger::{Draft, Error, Invalid, PageRequest};
use confab_kit::{Caller, Confab, Redis, log_key, numbers};
use serde_json::json;

fn draft(chat: &str, sender: &str, text: &str) -> Draft {
    Draft {
        chat: chat.into(),
        text: text.into(),
        data: None,
        sender: sender.into(),
        idempotency_key: None,
    }
}

fn request(chat: &str) -> PageRequest {
    PageRequest {
        chat: chat.into(),
        cursor: 0,
        limit: 0,
        reverse: false,
        before: None,
        epoch: None,
        wait: 0,
        after: None,
        caller: None,
    }
}

#[tokio::test]
async fn a_message_sent_by_one_transport_is_pulled_by_the_other() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let mut caller = Caller::new(&redis, &[]).await;

    let by_wit = caller.send(draft("Alice:bob", "alice", "by WIT")).await.unwrap();
    let by_http = confab.send("bob:alice", "bob", "by HTTP").await.ok();
    assert_eq!((by_wit.index, &by_http["index"]), (0, &json!(1)));

    let pulled = confab.pull(json!({ "chat": "alice:bob" })).await.ok();
    assert_eq!(pulled["messages"][0]["text"], "by WIT");
    assert_eq!(pulled["messages"][0]["send_time"], by_wit.send_time);

    let page = caller.pull(request("alice:bob")).await.unwrap();
    let seen: Vec<_> = page
        .messages
        .iter()
        .map(|m| (m.index, m.sender.as_str(), m.text.as_str()))
        .collect();
    assert_eq!(seen, [(0, "alice", "by WIT"), (1, "bob", "by HTTP")]);
    assert_eq!(page.messages[1].send_time, by_http["send_time"]);
    assert_eq!(page.next_cursor, None);
}

#[tokio::test]
async fn wit_has_the_same_pages_as_http() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..25)).await;
    let mut caller = Caller::new(&redis, &[]).await;
    for (reverse, before, expected) in [(false, None, 0..25), (true, None, 0..25), (true, Some(15), 0..15)] {
        let mut walk = PageRequest {
            reverse,
            before,
            ..request("a:b")
        };
        let mut seen = Vec::new();
        loop {
            let page = caller.pull(walk.clone()).await.unwrap();
            assert!(page.messages.len() <= 10);
            seen.extend(page.messages.iter().map(|message| message.index));
            let Some(next) = page.next_cursor else { break };
            walk.cursor = next;
        }
        let mut expected: Vec<u64> = expected.collect();
        if reverse {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_key_is_the_same_for_both_transports() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let mut caller = Caller::new(&redis, &[]).await;
    let keyed = |text: &str| Draft {
        idempotency_key: Some("k".into()),
        ..draft("a:b", "a", text)
    };
    let first = caller.send(keyed("hi")).await.unwrap();
    let again = caller.send(keyed("hi")).await.unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!((first.index, first.send_time), (again.index, again.send_time));
    let by_http = confab.send_keyed("a:b", "a", "hi", "k").await;
    assert_eq!(by_http.header("idempotency-replayed"), "true");
    assert_eq!(by_http.ok()["send_time"], first.send_time);

    let reused = caller.send(keyed("ho")).await.unwrap_err();
    assert!(matches!(reused, Error::KeyReused), "{reused:?}");
    let malformed = Draft {
        idempotency_key: Some("a b".into()),
        ..draft("a:b", "a", "hi")
    };
    let malformed = caller.send(malformed).await.unwrap_err();
    assert!(matches!(malformed, Error::Invalid(_)), "{malformed:?}");
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi"]);
}

#[tokio::test]
async fn a_cursor_of_a_lost_log_fails_with_the_epoch_of_the_new_log() {
    let redis = Redis::start();
    let mut caller = Caller::new(&redis, &[]).await;
    let sent = caller.send(draft("a:b", "a", "hi")).await.unwrap();
    let page = caller.pull(request("a:b")).await.unwrap();
    assert_eq!((page.epoch, page.first_index), (sent.send_time, 0));
    redis.delete(&log_key("a:b")).await;
    let sent = caller.send(draft("a:b", "a", "hi")).await.unwrap();
    let stale = PageRequest {
        epoch: Some(page.epoch),
        ..request("a:b")
    };
    let gone = caller.pull(stale).await.unwrap_err();
    assert!(
        matches!(&gone, Error::Gone(gone) if (gone.epoch, gone.index) == (sent.send_time, 0)),
        "{gone:?}"
    );
}

#[tokio::test]
async fn each_error_has_its_own_case() {
    let mut redis = Redis::start();
    let mut caller = Caller::new(&redis, &[("redis_timeout_ms", "300")]).await;
    let invalid = |error: Error, field: &str| {
        assert!(
            matches!(&error, Error::Invalid(Invalid { field: Some(got), .. }) if got == field),
            "{error:?}"
        );
    };
    invalid(caller.send(draft("ab", "a", "hi")).await.unwrap_err(), "chat");
    invalid(caller.send(draft("a:b", "c", "hi")).await.unwrap_err(), "sender");
    invalid(caller.send(draft("a:b", "a", "")).await.unwrap_err(), "text");
    invalid(caller.pull(request("a:b:c")).await.unwrap_err(), "chat");
    let too_large = caller.send(draft("a:b", "a", &"x".repeat(65_537))).await.unwrap_err();
    assert!(matches!(too_large, Error::TooLarge(_)), "{too_large:?}");

    redis.command::<()>(["SET", &log_key("a:b"), "not a log"]).await;
    let internal = caller.pull(request("a:b")).await.unwrap_err();
    assert!(matches!(internal, Error::Internal), "{internal:?}");

    redis.kill();
    let unavailable = caller.send(draft("a:b", "a", "hi")).await.unwrap_err();
    assert!(matches!(unavailable, Error::Unavailable), "{unavailable:?}");
}
