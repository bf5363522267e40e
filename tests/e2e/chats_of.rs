//! `scripts/chats-of`: every chat of a person that the person's inbox does not list, and no other.

use crate::delete::service;
use confab_kit::token::{SECRET, token};
use confab_kit::{Cluster, Confab, Endpoint, Ran, Redis, TestResponse, log_key, script};
use reqwest::Method;
use serde_json::{Value, json};

async fn chats_of(redis: &Redis, words: &[&str]) -> Ran {
    let url = format!("redis://{}", redis.host());
    script("chats-of", &[&["--redis", &url], words].concat(), &[]).await
}

/// The chats that it lists, each with what there is of it.
async fn listed(redis: &Redis, name: &str) -> Vec<(String, String)> {
    let said = chats_of(redis, &[name]).await.ok();
    let lines = said.lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(chat, kinds)| (chat.to_owned(), kinds.to_owned())).collect()
}

#[tokio::test]
async fn what_no_inbox_lists_is_listed_and_nothing_is_changed() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    for other in ["listed", "before", "gone", "a"] {
        confab.send_all(&format!("a:{other}"), other, ["1", "2"]).await;
    }
    confab.send_all("before:gone", "gone", ["of others"]).await;
    confab
        .set(json!({ "chat": "a:gone", "name": "gone", "muted": true }))
        .await
        .ok();
    confab.set(json!({ "chat": "a:settings", "open": true })).await.ok();
    assert_eq!(listed(&redis, "a").await, [("a:settings".into(), "settings".into())]);
    for chat in ["a:before", "a:gone", "a:a"] {
        redis.command::<()>(["ZREM", "confab:{a}:inbox", chat]).await;
    }
    let epochs = [confab.epoch("a:a").await, confab.epoch("a:before").await];
    redis
        .command::<()>(["DEL", &log_key("a:gone"), "confab:{a:gone}:marks"])
        .await;
    let before = redis.keys("*").await;
    let kinds = |epoch: u64| format!("log of 2 messages, epoch {epoch}; marks; receipts, which expire");
    let expected = [
        ("a:a", kinds(epochs[0])),
        ("a:before", kinds(epochs[1])),
        ("a:gone", "receipts, which expire; settings".into()),
        ("a:settings", "settings".into()),
    ];
    assert_eq!(
        listed(&redis, "a").await,
        expected.map(|(chat, kinds)| (chat.to_owned(), kinds))
    );
    let said = chats_of(&redis, &["a"]).await.ok();
    assert!(
        said.contains("4 chats of a are not in the inbox; 1 are.") && said.contains("own keys: inbox."),
        "{said}"
    );
    assert_eq!(redis.keys("*").await, before);
    let said = chats_of(&redis, &["nobody"]).await.ok();
    assert!(
        said.contains("0 chats of nobody are not in the inbox; 0 are."),
        "{said}"
    );
}

#[tokio::test]
async fn what_is_listed_is_erased_by_the_service_for_both_members() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let closed = Confab::on(&redis).variable("auth", "required");
    let closed = closed.variable("auth_secret", SECRET).start();
    for chat in ["a:é", "a:listed", "b:é"] {
        confab.send_all(chat, &chat[2..], ["1", "2"]).await;
    }
    for set in [
        json!({ "chat": "a:é", "name": "a", "muted": true }),
        json!({ "chat": "a:é", "name": "é", "blocked": true }),
        json!({ "chat": "a:listed", "name": "a", "muted": true }),
        json!({ "chat": "a:settings", "open": true }),
        json!({ "chat": "a:settings", "name": "a", "blocked": true }),
    ] {
        confab.set(set).await.ok();
    }
    redis.command::<()>(["HSET", "confab:{a:gone}:marks", "a", "0"]).await;
    redis.command::<()>(["ZREM", "confab:{a}:inbox", "a:%C3%A9"]).await;
    let epoch = confab.epoch("a:é").await;
    let logs = redis.keys("*:log").await;
    let erase = async |token: &str, words: &[&str]| {
        let url = format!("redis://{}", redis.host());
        let words = [&["--redis", &url, "a", "--erase"], words].concat();
        script("chats-of", &words, &[("CONFAB_TOKEN", token)]).await
    };
    let at = closed.url();
    let needs = ["--erase needs --confab URL", "CONFAB_TOKEN"];
    erase(&service(), &[]).await.fails(&needs);
    erase("", &["--confab", &at]).await.fails(&needs);
    let ran = erase(&service(), &["--confab", "localhost"]).await;
    ran.fails(&["not the URL of a confab", "http://HOST:PORT"]);
    let ran = erase(&service(), &["--confab", "http://127.0.0.1:1"]).await;
    ran.fails(&["there is no confab at http://127.0.0.1:1", "Name one that runs"]);
    for token in ["x".to_owned(), token("b")] {
        let ran = erase(&token, &["--confab", &at]).await;
        ran.fails(&[
            "confab answered 40",
            "Set CONFAB_TOKEN to a token with the scope confab:service",
        ]);
    }
    let ran = erase(&service(), &["--confab", &format!("{at}/elsewhere")]).await;
    ran.fails(&["there is no POST /api/delete at", "--confab URL"]);
    assert_eq!(redis.keys("*:log").await, logs);

    let said = erase(&service(), &["--confab", &at]).await.ok();
    assert!(said.contains("3 chats are erased"), "{said}");
    let settings: Vec<(String, String)> = redis.command(["HGETALL", "confab:{a:%C3%A9}:settings"]).await;
    let expected = [("blocked:%C3%A9", "1"), ("epoch", &epoch.to_string())];
    assert_eq!(
        settings,
        expected.map(|(field, value)| (field.to_owned(), value.to_owned()))
    );
    let chats = |chats: Vec<Value>| chats.into_iter().map(|chat| chat["chat"].clone()).collect::<Vec<_>>();
    assert_eq!(chats(confab.inbox("é").await), [json!("b:é")]);
    assert_eq!(chats(confab.inbox("a").await), [json!("a:listed")]);
    assert_eq!(confab.inbox_chat("a", "a:listed").await["muted"], true);
    let settings: Vec<(String, String)> = redis.command(["HGETALL", "confab:{a:settings}:settings"]).await;
    assert_eq!(settings, [("open".to_owned(), "1".to_owned())]);
    let left: Vec<_> = listed(&redis, "a").await.into_iter().map(|(chat, _)| chat).collect();
    assert_eq!(left, ["a:é", "a:settings"]);
    let said = erase(&service(), &["--confab", &at]).await.ok();
    assert!(said.contains("2 chats are erased"), "{said}");
    assert_eq!(confab.texts(json!({ "chat": "b:é" })).await, ["1", "2"]);
}

#[tokio::test]
async fn any_name_is_found_in_its_one_form_and_another_spelling_is_told_it() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let names = ["é", "{", "}", "%7b", "x y", "\"'\\$(x)*", "-rf", "ὀδυσσεύσ", "𐐨", "ß"];
    for name in names {
        confab.send_all(&format!("other:{name}"), "other", ["hi"]).await;
    }
    for key in redis.keys("*:inbox").await {
        redis.delete(&key).await;
    }
    for name in names {
        let request = confab.build(Method::GET, "/api/me").query(&[("name", name)]);
        assert_eq!(TestResponse::to(request).await.ok()["name"], name);
        let said = chats_of(&redis, &["--", name]).await.ok();
        assert!(
            said.contains("\tlog of 1 messages") && said.contains("1 chats of"),
            "{name}: {said}"
        );
        assert!(said.contains(name), "{name}: {said}");
    }
    for (typed, form) in [
        ("É", "é"),
        ("e\u{301}", "é"),
        ("Ὀδυσσεύς", "ὀδυσσεύσ"),
        ("X Y", "x y"),
        ("ẞ", "ß"),
        ("OTHER", "other"),
    ] {
        chats_of(&redis, &[typed]).await.fails(&[
            &format!("no key has the name {typed}"),
            &format!("nearly the same is: {form}."),
        ]);
    }
    // Letters that only look alike are other people.
    assert_eq!(listed(&redis, "ss").await, []);
}

#[tokio::test]
async fn in_a_cluster_the_inbox_is_asked_wherever_it_is() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    let at = async |key: &str| cluster.node(cluster.owner(0, cluster.slot(key).await).await);
    let chats: Vec<_> = (0..12).map(|chat| format!("a:b{chat:02}")).collect();
    for chat in &chats {
        confab.send_all(chat, "a", ["hi"]).await;
    }
    // A send that failed between its steps.
    for chat in &chats[..6] {
        at("confab:{a}:inbox")
            .await
            .command::<()>(["ZREM", "confab:{a}:inbox", chat])
            .await;
    }
    let mut found = Vec::new();
    for node in 0..3 {
        found.extend(listed(cluster.node(node), "a").await.into_iter().map(|(chat, _)| chat));
    }
    found.sort();
    assert_eq!(found, chats[..6]);
}

#[tokio::test]
async fn arguments_that_cannot_be_used_and_a_redis_that_refuses_say_what_to_do() {
    for name in ["", "a:b", ":", "a\n", "\u{7f}", "a\u{85}"] {
        script("chats-of", &[name], &[])
            .await
            .fails(&["usage: ", "not the name of a person"]);
    }
    for (words, text) in [
        (&[][..], "required: NAME"),
        (&["a", "b"], "unrecognized arguments: b"),
        (&["a", "--redis", "x"], "redis://HOST:PORT"),
    ] {
        script("chats-of", words, &[]).await.fails(&["usage: ", text]);
    }
    script("chats-of", &["a", "--redis", "redis://127.0.0.1:1"], &[])
        .await
        .fails(&["there is no Redis at 127.0.0.1:1", "Name a running one"]);
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["hi"]).await;
    redis.command::<()>(["SET", "confab:{a}:inbox", "no inbox"]).await;
    chats_of(&redis, &["a"]).await.fails(&["WRONGTYPE", "delete the key"]);
    let rights: Vec<_> = "~confab:* +scan +xinfo|stream +xlen +info".split(' ').collect();
    redis.user("me", &rights).await;
    let url = format!("redis://me@{}", redis.host());
    script("chats-of", &["a", "--redis", &url], &[])
        .await
        .fails(&["no password for the user me", "REDISCLI_AUTH"]);
    let password = [("REDISCLI_AUTH", "password")];
    script("chats-of", &["a", "--redis", &url], &password)
        .await
        .fails(&["NOPERM", "Give the user"]);
    redis.delete("confab:{a}:inbox").await;
    redis.user("me", &["+zscore"]).await;
    let said = script("chats-of", &["a", "--redis", &url], &password).await.ok();
    assert!(said.contains("1 chats of a are not"), "{said}");
}
