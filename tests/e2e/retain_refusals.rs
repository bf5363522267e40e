//! What `scripts/retain` refuses or cannot read: it says what to do, and removes nothing of it.

use confab_kit::{Confab, Endpoint, Redis, log_key, script};
use serde_json::json;

const RUN: [&str; 3] = ["--older-than", "30d", "--run"];

#[tokio::test]
async fn arguments_that_cannot_be_used_say_how_to_write_them() {
    for age in [
        "", "30", "d", "0d", "-1d", "30 d", "30m", "1.5d", "30D", "100000d", "soon",
    ] {
        let ran = script("retain", &[&format!("--older-than={age}")], &[]).await;
        ran.fails(&["not an age", "12h, 30d or 8w"]);
    }
    for (words, text) in [
        (&[][..], "required: --older-than"),
        (&["--older-than"], "expected one argument"),
        (&["--older-than", "30d", "--now"], "unrecognized arguments: --now"),
        (&["--older", "30d"], "required: --older-than"),
        (
            &["--older-than", "30d", "--redis", "127.0.0.1:6379"],
            "redis://HOST:PORT",
        ),
        (
            &["--older-than", "30d", "--redis", "http://127.0.0.1"],
            "redis://HOST:PORT",
        ),
        (
            &["--older-than", "30d", "--redis", "redis://127.0.0.1:99999"],
            "redis://HOST:PORT",
        ),
        (&["--older-than", "30d", "--redis", "redis://"], "redis://HOST:PORT"),
    ] {
        let ran = script("retain", words, &[]).await;
        ran.fails(&["usage: ", text]);
        assert_eq!(ran.code, 2, "{words:?}");
    }
}

#[tokio::test]
async fn a_redis_that_refuses_is_an_error_that_says_what_to_do() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["kept"]).await;
    redis
        .command::<()>(["XADD", &log_key("a:c"), "5-0", "5", "a:old"])
        .await;
    redis.user("me", &["~confab:*", "+@all", "-unlink"]).await;
    redis.user("blind", &["~confab:*", "+@all", "-scan"]).await;
    redis.user("other", &["~other:*", "+@all"]).await;
    let run = async |user: &str, password: &str| {
        let url = format!("redis://{user}@{}", redis.host());
        script(
            "retain",
            &[&["--redis", &url], &RUN[..]].concat(),
            &[("REDISCLI_AUTH", password)],
        )
        .await
    };
    run("me", "wrong")
        .await
        .fails(&["WRONGPASS", "Correct the user", "REDISCLI_AUTH"]);
    redis.user("mute", &["~confab:*", "+@all", "-hset"]).await;
    for user in ["me", "blind", "mute", "other"] {
        run(user, "password").await.fails(&["Give the user the commands EVAL"]);
    }
    let nobody = script("retain", &[&["--redis", "redis://127.0.0.1:1"], &RUN[..]].concat(), &[]).await;
    nobody.fails(&["there is no Redis at 127.0.0.1:1", "Name a running one"]);
    assert_eq!(redis.keys("*:log").await.len(), 2);
    assert_eq!(redis.command::<u64>(["XLEN", &log_key("a:c")]).await, 1);
    // The rights that are asked for are enough.
    let rights = "~confab:* +eval +evalsha +scan +info +time +xlen +xrange +xrevrange +xinfo|stream +xadd +xtrim +unlink +hget +hset";
    redis.user("able", &rights.split(' ').collect::<Vec<_>>()).await;
    run("able", "password").await.ok();
    assert_eq!(redis.keys("*:log").await, [log_key("a:b")]);
    redis.command::<()>(["CONFIG", "SET", "requirepass", "secret"]).await;
    let url = format!("redis://{}", redis.host());
    let words = [&["--redis", &url], &RUN[..]].concat();
    script("retain", &words, &[])
        .await
        .fails(&["NOAUTH", "set it in REDISCLI_AUTH"]);
    script("retain", &words, &[("REDISCLI_AUTH", "secret")]).await.ok();
}

#[tokio::test]
async fn what_cannot_be_read_stays_and_keeps_no_other_chat() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    for chat in ["a:b1", "a:b2", "a:b3", "a:b4"] {
        redis.command::<()>(["XADD", &log_key(chat), "5-0", "5", "a:old"]).await;
    }
    redis
        .command::<()>(["XADD", &log_key("a:b2"), "5-1", "sender", "a"])
        .await;
    redis.command::<()>(["SET", &log_key("a:b5"), "not a log"]).await;
    redis
        .command::<()>(["SET", "confab:{a:b3}:settings", "no settings"])
        .await;
    let url = format!("redis://{}", redis.host());
    let ran = script("retain", &[&["--redis", &url], &RUN[..]].concat(), &[]).await;
    ran.fails(&[
        "2 messages from before",
        "and 2 chats",
        "confab:{a:b2}:log stays: UNREADABLE 5-1",
        "XDEL confab:{a:b2}:log",
        "confab:{a:b5}:log stays: WRONGTYPE",
        "confab:{a:b3}:log stays: WRONGTYPE",
        "3 chats could not be looked at",
    ]);
    assert_eq!(redis.keys("*:log").await, ["a:b2", "a:b3", "a:b5"].map(log_key));
    assert_eq!(redis.command::<u64>(["XLEN", &log_key("a:b3")]).await, 1);
    redis.command::<()>(["XDEL", &log_key("a:b2"), "5-1"]).await;
    redis.delete("confab:{a:b3}:settings").await;
    redis.delete(&log_key("a:b5")).await;
    script("retain", &[&["--redis", &url], &RUN[..]].concat(), &[])
        .await
        .ok();
    assert_eq!(redis.keys("*:log").await, [""; 0]);
    assert_eq!(confab.texts(json!({ "chat": "a:b3" })).await, [""; 0]);
}
