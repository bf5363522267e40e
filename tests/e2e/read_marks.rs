//! A read mark only rises, names content, and is never taken for one of another log.

use confab_kit::{Confab, Redis, log_key, numbers};
use serde_json::{Value, json};

async fn position(confab: &Confab, limit: u64) -> String {
    let page = confab.pull(json!({ "chat": "a:b", "limit": limit })).await.ok();
    page["position"].as_str().unwrap().to_owned()
}

/// Marks up to a position, and returns what is read and what is unread.
async fn read(confab: &Confab, position: &str) -> (u64, u64) {
    let marked = confab
        .read(json!({ "chat": "a:b", "name": "b", "position": position }))
        .await
        .ok();
    (marked["read"].as_u64().unwrap(), marked["unread"].as_u64().unwrap())
}

/// What is read and what is unread, as the inbox says.
async fn in_inbox(confab: &Confab) -> (u64, u64) {
    let chat = confab.inbox_chat("b", "a:b").await;
    (chat["read"].as_u64().unwrap(), chat["unread"].as_u64().unwrap())
}

#[tokio::test]
async fn a_mark_is_stored_answered_and_shown_to_both() {
    let confab = Confab::anywhere().start();
    confab.send_all("a:b", "a", numbers(0..5)).await;
    let epoch = confab.epoch("a:b").await;
    let third = position(&confab, 3).await;
    let marked = confab
        .read(json!({ "chat": "B:a", "name": "B", "position": third }))
        .await
        .ok();
    assert_eq!(
        marked,
        json!({ "chat": confab.chat("a:b"), "epoch": epoch, "read": 3, "read_position": third, "unread": 2 })
    );
    assert_eq!(in_inbox(&confab).await, (3, 2));
    let chat = confab.inbox_chat("a", "a:b").await;
    assert_eq!(
        (&chat["read_by_other"], &chat["read_by_other_position"]),
        (&json!(3), &json!(third))
    );
    // An index is that of a message; one beyond the newest is the newest.
    for (index, expected) in [(3, 4), (4, 5), (5, 5), (u64::MAX, 5)] {
        let marked = confab
            .read(json!({ "chat": "a:b", "name": "b", "index": index, "epoch": epoch }))
            .await
            .ok();
        assert_eq!(
            (&marked["read"], &marked["unread"]),
            (&json!(expected), &json!(5 - expected))
        );
    }
    assert_eq!(in_inbox(&confab).await, (5, 0));
    if let Some(redis) = confab.redis() {
        let stored: String = redis.command(["HGET", "confab:{a:b}:marks", "b"]).await;
        assert_eq!(stored, position(&confab, 5).await);
    }
}

#[tokio::test]
async fn a_mark_never_falls() {
    let confab = Confab::anywhere().persons_send().start();
    confab.send_all("a:b", "a", numbers(0..9)).await;
    let positions = [position(&confab, 3).await, position(&confab, 7).await];
    assert_eq!(read(&confab, &positions[1]).await, (7, 2));
    for lower in ["0", &positions[0], &positions[1]] {
        assert_eq!(read(&confab, lower).await, (7, 2), "{lower}");
    }
    let marked = confab
        .read(json!({ "chat": "a:b", "name": "b", "index": 0 }))
        .await
        .ok();
    assert_eq!(
        (&marked["read"], &marked["read_position"]),
        (&json!(7), &json!(positions[1]))
    );
    // Many devices at once, each with a mark of its own.
    let marks = (0..9_u64).rev().map(async |index| {
        confab
            .read(json!({ "chat": "a:b", "name": "b", "index": index }))
            .await
            .ok()["read"]
            .as_u64()
    });
    for read in futures::future::join_all(marks).await {
        assert!(read >= Some(7), "{read:?}");
    }
    assert_eq!(in_inbox(&confab).await, (9, 0));
    confab.send_keyed("a:b", "a", "hi", "k").await.ok();
    confab.send_all("a:b", "b", ["answer"]).await;
    confab.send_keyed("a:b", "a", "hi", "k").await.ok();
    let chat = confab.inbox_chat("a", "a:b").await;
    assert_eq!(
        (&chat["read"], &chat["unread"]),
        (&json!(10), &json!(1)),
        "a replay marks nothing"
    );
}

#[tokio::test]
async fn a_position_that_the_log_does_not_confirm_is_410_and_the_mark_stays() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..5)).await;
    assert_eq!(read(&confab, &position(&confab, 2).await).await, (2, 3));
    let epoch = confab.epoch("a:b").await;
    let newest = position(&confab, 5).await;
    let time = newest.rsplit_once('-').unwrap().1;
    for (body, index) in [
        (json!({ "position": format!("{epoch}-7-{time}") }), 5),
        (json!({ "position": format!("{epoch}-3-{time}") }), 0),
        (json!({ "position": format!("1-4-{time}") }), 0),
        (json!({ "index": 4, "epoch": 1 }), 0),
    ] {
        let mut body = body;
        (body["chat"], body["name"]) = (json!("a:b"), json!("b"));
        let gone = confab.read(body.clone()).await;
        assert_eq!(gone.problem(), (410, json!("epoch")), "{body}");
        let problem = gone.json();
        assert_eq!(
            (&problem["epoch"], &problem["index"]),
            (&json!(epoch), &json!(index)),
            "{body}"
        );
    }
    assert_eq!(in_inbox(&confab).await, (2, 3));
    // A chat without messages: nothing is stored.
    let marked = confab
        .read(json!({ "chat": "a:c", "name": "c", "index": 4 }))
        .await
        .ok();
    assert_eq!(
        marked,
        json!({ "chat": "a:c", "epoch": 0, "read": 0, "read_position": "0", "unread": 0 })
    );
    assert_eq!(redis.keys("confab:{a:c}*").await, Vec::<String>::new());
    let gone = confab
        .read(json!({ "chat": "a:c", "name": "c", "position": newest }))
        .await;
    assert_eq!(gone.status, 410);
}

#[tokio::test]
async fn a_mark_of_another_log_counts_nothing_and_one_of_lost_messages_up_to_where_they_were_kept() {
    let mut redis = Redis::start();
    let confab = Confab::on(&redis).variable("redis_timeout_ms", 15_000).start();
    confab.send_all("a:b", "a", numbers(0..5)).await;
    redis.command::<()>(["SAVE"]).await;
    confab.send_all("a:b", "a", numbers(5..9)).await;
    let lost = position(&confab, 9).await;
    // A failover loses the newest messages, but not the mark.
    redis.kill();
    redis.restart();
    redis.command::<()>(["HSET", "confab:{a:b}:marks", "b", &lost]).await;
    assert_eq!(in_inbox(&confab).await, (5, 0));
    for sent in 1..=6 {
        confab.send_all("a:b", "a", ["new"]).await;
        assert_eq!(in_inbox(&confab).await, (5, sent), "{sent} new messages");
    }
    // The mark rises from where it counts.
    let marked = confab
        .read(json!({ "chat": "a:b", "name": "b", "index": 6 }))
        .await
        .ok();
    assert_eq!((&marked["read"], &marked["unread"]), (&json!(7), &json!(4)));
    assert_eq!(in_inbox(&confab).await, (7, 4));

    redis.delete(&log_key("a:b")).await;
    confab.send_all("a:b", "a", numbers(0..9)).await;
    assert_eq!(in_inbox(&confab).await, (0, 9));
    assert_eq!(confab.inbox_chat("a", "a:b").await["unread"], 0);
}

#[tokio::test]
async fn a_mark_whose_message_was_trimmed_stays() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..9)).await;
    assert_eq!(read(&confab, &position(&confab, 3).await).await, (3, 6));
    let (key, epoch) = (log_key("a:b"), confab.epoch("a:b").await);
    redis.command::<()>(["XDEL", &key, &format!("{epoch}-2")]).await;
    assert_eq!(in_inbox(&confab).await, (3, 6));
    redis.command::<()>(["XTRIM", &key, "MAXLEN", "4"]).await;
    assert_eq!(in_inbox(&confab).await, (3, 4));
    // A plain index that was trimmed is a mark too.
    let marked = confab
        .read(json!({ "chat": "a:b", "name": "b", "index": 3 }))
        .await
        .ok();
    assert_eq!((&marked["read"], &marked["unread"]), (&json!(4), &json!(4)));
    assert_eq!(in_inbox(&confab).await, (4, 4));
    confab.send_all("a:b", "a", ["9"]).await;
    assert_eq!(in_inbox(&confab).await, (4, 5));
}

#[tokio::test]
async fn a_log_from_before_there_were_marks_is_read_but_for_what_comes() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    for (chat, first) in [("a:b", "send"), ("a:c", "read")] {
        confab.send_all(chat, "a", numbers(0..5)).await;
        for key in [format!("confab:{{{chat}}}:marks"), "confab:{a}:inbox".into()] {
            redis.delete(&key).await;
        }
        if first == "read" {
            confab.read(json!({ "chat": chat, "name": "a", "index": 2 })).await.ok();
        }
        confab.send_all(chat, "a", ["new", "newer"]).await;
        let other = &chat[2..];
        assert_eq!(confab.inbox_chat(other, chat).await["unread"], 2, "{chat}");
        assert_eq!(confab.inbox_chat("a", chat).await["unread"], 0, "{chat}");
    }
    // A new chat is not one of them.
    confab.send_all("a:d", "a", numbers(0..5)).await;
    assert_eq!(confab.inbox_chat("d", "a:d").await["unread"], 5);
}

#[tokio::test]
async fn a_wrong_mark_is_refused_with_the_field_at_fault_and_nothing_is_stored() {
    let confab = Confab::anywhere().start();
    for (body, field) in [
        (json!([]), Value::Null),
        (json!({}), json!("name")),
        (json!({ "name": "c", "chat": "a:b", "index": 1 }), json!("name")),
        (json!({ "name": "a", "index": 1 }), json!("chat")),
        (json!({ "name": "a", "chat": "a", "index": 1 }), json!("chat")),
        (json!({ "name": "a", "chat": "a:b" }), json!("position")),
        (
            json!({ "name": "a", "chat": "a:b", "position": "17" }),
            json!("position"),
        ),
        (json!({ "name": "a", "chat": "a:b", "index": -1 }), json!("index")),
    ] {
        assert_eq!(confab.read(body.clone()).await.problem(), (400, field), "{body}");
    }
    if let Some(redis) = confab.redis() {
        assert_eq!(redis.keys("*").await, Vec::<String>::new());
    }
}
