//! The inbox stays right whatever happens to the logs: trimmed, emptied, lost, begun anew, unreadable.

use confab_kit::{Confab, Redis, log_key, numbers};
use serde_json::{Value, json};

/// The names of the chats, in the order of the page.
fn names(chats: &[Value]) -> Vec<&str> {
    chats.iter().map(|chat| chat["chat"].as_str().unwrap()).collect()
}

async fn unread(confab: &Confab, name: &str, chat: &str) -> u64 {
    confab.inbox_chat(name, chat).await["unread"].as_u64().unwrap()
}

#[tokio::test]
async fn chats_whose_logs_are_gone_are_left_out_and_the_page_is_filled_up() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let all = numbers(10..60);
    for other in &all {
        confab.send_all(&format!("{other}:a"), other, ["hi"]).await;
    }
    // More in a row than a page has to spare.
    for other in &all[15..45] {
        redis.delete(&log_key(&format!("{other}:a"))).await;
    }
    let expected: Vec<_> = all[..15]
        .iter()
        .chain(&all[45..])
        .rev()
        .map(|other| format!("{other}:a"))
        .collect();
    for limit in [1, 7, 15, 19, 20, 29, 30, 100] {
        assert_eq!(names(&confab.inbox_walk("a", limit).await), expected, "{limit}");
    }
    redis.command::<()>(["XTRIM", &log_key("10:a"), "MAXLEN", "0"]).await;
    assert_eq!(confab.inbox("a").await.len(), 19);
}

#[tokio::test]
async fn unread_is_right_if_messages_are_trimmed_or_removed_by_hand() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("max_messages_per_chat", 4).start();
    confab.send_all("a:b", "a", numbers(0..3)).await;
    assert_eq!(unread(&confab, "b", "a:b").await, 3);
    confab.send_all("a:b", "a", numbers(3..10)).await;
    assert_eq!(unread(&confab, "b", "a:b").await, 4);
    let epoch = confab.epoch("a:b").await;
    let remove = async |index: u64| {
        redis
            .command::<()>(["XDEL", &log_key("a:b"), &format!("{epoch}-{index}")])
            .await;
    };
    // A place counts until a mark passes it; one at the end is not there any more.
    remove(8).await;
    assert_eq!(unread(&confab, "b", "a:b").await, 4);
    remove(9).await;
    assert_eq!(unread(&confab, "b", "a:b").await, 2);
    let chat = confab.inbox_chat("a", "a:b").await;
    assert_eq!(
        (&chat["last"]["text"], &chat["unread"], &chat["read"]),
        (&json!("7"), &json!(0), &json!(10))
    );
    confab.send_all("a:b", "b", ["10"]).await;
    let chat = confab.inbox_chat("a", "a:b").await;
    assert_eq!((&chat["unread"], &chat["read"]), (&json!(1), &json!(10)));
    assert_eq!(unread(&confab, "b", "a:b").await, 0);
}

#[tokio::test]
async fn notes_to_oneself_are_in_the_inbox_once_and_never_unread() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:A", "a", ["1", "2"]).await;
    let chats = confab.inbox("a").await;
    assert_eq!(names(&chats), ["a:a"]);
    assert_eq!(
        (&chats[0]["with"], &chats[0]["unread"], &chats[0]["read_by_other"]),
        (&json!("a"), &json!(0), &json!(2))
    );
    assert_eq!(confab.read_all("a:a", "a").await["unread"], 0);
    redis.delete("confab:{a:a}:marks").await;
    assert_eq!(unread(&confab, "a", "a:a").await, 0);
}

#[tokio::test]
async fn a_log_that_is_begun_anew_has_its_own_place_and_marks_even_if_a_clock_was_set_back() {
    let (redis, clock) = Redis::with_clock();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..3)).await;
    confab.read_all("a:b", "b").await;
    confab.send_all("a:c", "a", ["hi"]).await;
    redis.delete(&log_key("a:b")).await;
    assert_eq!(names(&confab.inbox("b").await), Vec::<&str>::new());

    clock.set(-3600);
    confab.send_all("a:b", "a", ["anew"]).await;
    for name in ["a", "b"] {
        let chat = confab.inbox_chat(name, "a:b").await;
        let score: f64 = redis
            .command(["ZSCORE", &format!("confab:{{{name}}}:inbox"), "a:b"])
            .await;
        assert_eq!(chat["last"]["send_time"].as_f64(), Some(score));
    }
    // Below the other chat, as its message is an hour older by this clock.
    assert_eq!(names(&confab.inbox("a").await), ["a:c", "a:b"]);
    let chat = confab.inbox_chat("b", "a:b").await;
    assert_eq!(
        (&chat["unread"], &chat["read"], &chat["read_position"]),
        (&json!(1), &json!(0), &json!("0"))
    );
    assert_eq!(confab.read_all("a:b", "b").await["read"], 1);
}

#[tokio::test]
async fn a_chat_that_cannot_be_read_hides_no_other_and_its_cause_is_in_the_server_log() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    for other in ["b", "c", "d", "e"] {
        confab.send_all(&format!("a:{other}"), other, ["hi"]).await;
    }
    let epoch = confab.epoch("a:b").await;
    redis
        .command::<()>(["XADD", &log_key("a:b"), &format!("{epoch}-1"), "from", "elsewhere"])
        .await;
    redis.command::<()>(["SET", &log_key("a:c"), "not a log"]).await;
    redis.command::<()>(["SET", "confab:{a:d}:marks", "not marks"]).await;
    assert_eq!(names(&confab.inbox("a").await), ["a:e"]);
    for key in ["confab:{a:b}:log", "confab:{a:c}:log", "confab:{a:d}:marks"] {
        confab.logged(&redis.logged_key(key).await).await;
    }
    redis.command::<()>(["SET", "confab:{e}:inbox", "not an inbox"]).await;
    assert_eq!(confab.inbox_by("name=e").await.problem(), (500, Value::Null));
    confab.logged(&redis.logged_key("confab:{e}:inbox").await).await;
}
