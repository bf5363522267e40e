//! `scripts/fill-inboxes`: chats from before there were inboxes are in them, also while hosts of that version still append.

use confab_kit::{Confab, Endpoint, Redis, component, log_key};
use serde_json::{Value, json};
use std::process::Command;

/// Runs the script, and returns what it prints.
async fn fill(redis: &Redis) -> (bool, String) {
    let port = redis.host().rsplit_once(':').unwrap().1.to_owned();
    let run = move || {
        let script = component::project().join("scripts/fill-inboxes");
        Command::new(script).args(["-p", &port]).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(printed).unwrap())
}

/// Appends as a host of the version before does: it touches no inbox and no mark.
async fn append(redis: &Redis, chat: &str, index: u64, sender: &str) -> u64 {
    let time = redis.time().await;
    let (time, id) = (time.to_string(), format!("1700000000000000-{index}"));
    let said = format!("{sender}:{index}");
    redis.command::<()>(["XADD", &log_key(chat), &id, &time, &said]).await;
    time.parse().unwrap()
}

async fn unread(confab: &Confab, name: &str) -> Vec<(String, u64)> {
    let chats = confab.inbox(name).await;
    let unread = |chat: &Value| {
        (
            chat["chat"].as_str().unwrap().to_owned(),
            chat["unread"].as_u64().unwrap(),
        )
    };
    chats.iter().map(unread).collect()
}

fn listed(chats: &[(&str, u64)]) -> Vec<(String, u64)> {
    chats
        .iter()
        .map(|(chat, unread)| ((*chat).to_owned(), *unread))
        .collect()
}

#[tokio::test]
async fn chats_from_before_are_filled_in_and_a_second_run_changes_nothing() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    // Names that are hard on scripts.
    let others = ["b", "é", "{", "}", "%", "a", "x y", "\"'\\$(x)*"];
    for other in others {
        confab.send_all(&format!("a:{other}"), other, ["1", "2", "3"]).await;
    }
    let expected = confab.inbox("a").await;
    assert_eq!(expected.len(), others.len());
    for key in redis.keys("*").await {
        if !key.ends_with(":log") {
            redis.delete(&key).await;
        }
    }
    assert_eq!(confab.inbox("a").await, Vec::<Value>::new());
    for _ in 0..2 {
        let (succeeded, printed) = fill(&redis).await;
        assert!(succeeded && printed.contains("8 chats are in the inboxes"), "{printed}");
        let filled = confab.inbox("a").await;
        for (chat, expected) in filled.iter().zip(&expected) {
            assert_eq!(
                (&chat["chat"], &chat["last"], &chat["unread"]),
                (&expected["chat"], &expected["last"], &json!(0))
            );
        }
        assert_eq!(filled.len(), expected.len());
        assert_eq!(unread(&confab, "é").await, listed(&[("a:é", 0)]));
    }
    // What comes then is unread, and a later run leaves it so.
    confab.send_all("a:b", "b", ["4", "5"]).await;
    confab.send_all("a:new", "new", ["1"]).await;
    fill(&redis).await;
    let chats = unread(&confab, "a").await;
    assert_eq!(chats[..2], listed(&[("a:new", 1), ("a:b", 2)]));
}

#[tokio::test]
async fn hosts_of_the_version_before_may_still_append_and_a_run_after_them_repairs_the_order() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    for index in 0..3 {
        append(&redis, "a:b", index, "b").await;
        append(&redis, "a:c", index, "c").await;
    }
    assert!(fill(&redis).await.0);
    assert_eq!(unread(&confab, "a").await, listed(&[("a:c", 0), ("a:b", 0)]));
    // Its message is unread, but does not move its chat; a new chat is not in the inbox.
    append(&redis, "a:b", 3, "b").await;
    append(&redis, "a:d", 0, "d").await;
    assert_eq!(unread(&confab, "a").await, listed(&[("a:c", 0), ("a:b", 1)]));
    let last = append(&redis, "a:b", 4, "b").await;
    for _ in 0..2 {
        assert!(fill(&redis).await.0);
        assert_eq!(
            unread(&confab, "a").await,
            listed(&[("a:b", 2), ("a:d", 0), ("a:c", 0)])
        );
    }
    // And the next message of this version goes on from there.
    let sent = confab.send("a:c", "c", "3").await.ok();
    assert!(sent["send_time"].as_u64().unwrap() > last);
    assert_eq!(
        unread(&confab, "a").await,
        listed(&[("a:c", 1), ("a:b", 2), ("a:d", 0)])
    );
    confab.read_all("a:b", "a").await;
    assert_eq!(confab.inbox_chat("a", "a:b").await["unread"], 0);
}

#[tokio::test]
async fn many_chats_are_filled_with_progress_and_a_refusal_is_an_error() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let write = "for i = 1, 25000 do redis.call('XADD', 'confab:{' .. i .. ':x}:log', '17-0', 17 + i, 'x:hi') end";
    redis.command::<()>(["EVAL", write, "0"]).await;
    let (succeeded, printed) = fill(&redis).await;
    assert!(
        succeeded && printed.contains("chats so far") && printed.contains("25000 chats are"),
        "{printed}"
    );
    let page = confab.inbox_by("name=x&limit=1").await.ok();
    assert_eq!(
        (&page["chats"][0]["chat"], &page["chats"][0]["unread"]),
        (&json!("25000:x"), &json!(0))
    );
    redis.command::<()>(["SET", "confab:{x}:inbox", "not an inbox"]).await;
    let (succeeded, printed) = fill(&redis).await;
    assert!(!succeeded && printed.contains("WRONGTYPE"), "{printed}");
}
