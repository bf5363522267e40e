//! What Redis refuses stores nothing; and which commands confab needs.

use confab_kit::token::{SECRET, token};
use confab_kit::{Builder, Confab, Follower, Redis, TestResponse, log_key};
use reqwest::Method;
use serde_json::{Value, json};

/// The commands that a Redis user needs. docs/deployment.md lists them for operators.
const COMMANDS: &str = "evalsha eval ping info time xadd xrevrange xrange xlen xread xinfo|stream exists hget hmget hset hdel \
    pttl pexpire zadd zrem zrange get set zcard zscore zremrangebyscore \
    getrange setrange setbit bitcount bitpos strlen xdel unlink";

pub(crate) fn commands() -> Vec<String> {
    COMMANDS.split(' ').map(str::to_owned).collect()
}

/// The rules of a user that may run these commands and no other.
pub(crate) fn rules(commands: &[String]) -> Vec<String> {
    let allowed = commands.iter().map(|command| format!("+{command}"));
    ["~confab:*".to_owned()].into_iter().chain(allowed).collect()
}

/// A confab as a user with these rules. It keeps no more than 5 messages per chat, to use what trims them too.
pub(crate) async fn builder_as(redis: &Redis, rules: &[String]) -> Builder {
    let fresh = ["reset", "on", ">password"];
    let rules: Vec<_> = fresh.into_iter().chain(rules.iter().map(String::as_str)).collect();
    let credentials = redis.user("confab", &rules).await;
    let confab = Confab::on(redis).variable("redis_credentials", credentials);
    confab.variable("max_messages_per_chat", 5)
}

async fn confab_as(redis: &Redis, rules: &[String]) -> Confab {
    builder_as(redis, rules).await.start()
}

/// The same, where a person may send so many messages an hour that none is refused.
fn limited(builder: &Builder) -> Confab {
    let builder = builder.clone().variable("auth", "required");
    builder
        .variable("auth_secret", SECRET)
        .variable("send_limit", 1000)
        .variable("send_window_s", 3600)
        .start()
}

/// Lets a have half of the quota left.
async fn charge(redis: &Redis) {
    let until = (redis.time().await + 1_800_000_000).to_string();
    redis
        .command::<()>(["SET", "confab:{a}:rate", &until, "PX", "1800000"])
        .await;
}

#[tokio::test]
async fn a_user_that_may_run_these_commands_needs_no_more() {
    let redis = Redis::start();
    let confab = confab_as(&redis, &rules(&commands())).await;
    confab.get("/ready").await.ok();
    let mut follower = Follower::start(&confab, "chat=a:b&cursor=0", None).opened().await;
    for number in 0..7 {
        confab.send("a:b", "a", "hi").await.ok();
        let key = number.to_string();
        let first = confab.send_keyed("a:b", "a", "hi", &key).await;
        assert_eq!(confab.send_keyed("a:b", "a", "hi", &key).await.body, first.body);
    }
    follower.next().await;
    let page = confab.pull(json!({ "chat": "a:b" })).await.ok();
    assert_eq!(page["first_index"], 9);
    let position = page["position"].as_str().unwrap();
    for request in [
        json!({ "chat": "a:b", "after": position }),
        json!({ "chat": "a:b", "cursor": 12, "epoch": page["epoch"] }),
        json!({ "chat": "a:b", "reverse": true, "before": 12 }),
        json!({ "chat": "b:c", "wait": 1 }),
    ] {
        confab.pull(request).await.ok();
    }
    let log = log_key("a:b");
    redis.command::<()>(["XTRIM", &log, "MAXLEN", "0"]).await;
    // What was removed by hand is looked up otherwise than what is there.
    confab.send_keyed("a:b", "a", "hi", "6").await.ok();
    confab.pull(json!({ "chat": "a:b", "after": position })).await.ok();
    confab.send("a:b", "a", "hi").await.ok();
    assert_eq!(confab.inbox_chat("b", "a:b").await["unread"], 1);
    assert_eq!(confab.read_all("a:b", "b").await["unread"], 0);
    assert_eq!(confab.log(), "");
}

/// What is stored: how many receipts a bucket has, and the value of any other key.
pub(crate) async fn stored(redis: &Redis) -> Vec<(String, Vec<u8>)> {
    let mut stored = Vec::new();
    for key in redis.keys("*").await {
        let value = if key.contains("}:sent:") {
            redis.command::<String>(["HLEN", &key]).await.into_bytes()
        } else {
            redis.command(["DUMP", &key]).await
        };
        stored.push((key, value));
    }
    stored
}

#[tokio::test]
async fn a_user_that_lacks_a_command_stores_all_or_nothing() {
    let redis = Redis::start();
    let mut needed = Vec::new();
    for missing in commands() {
        redis.empty().await;
        let mut allowed = commands();
        allowed.retain(|command| *command != missing);
        let confab = limited(&builder_as(&redis, &rules(&allowed)).await);
        // To an empty chat, and to one with as many messages as it may have.
        for filled in [0, 5] {
            if filled > 0 {
                charge(&redis).await;
            }
            for number in 0..filled {
                let word = number.to_string();
                redis
                    .command::<()>(["XADD", &log_key("a:b"), "1-*", &word, "b:hi"])
                    .await;
            }
            for key in [None, Some("k")] {
                let before = stored(&redis).await;
                let answer = confab.send_as(&token("a"), "a:b", "hi", key).await;
                if answer.status != 200 {
                    assert!(matches!(answer.status, 500 | 503), "{missing}: {}", answer.status);
                    assert_eq!(answer.problem().1, Value::Null);
                    needed.push(missing.clone());
                    if missing == "hdel" {
                        continue;
                    }
                    assert_eq!(
                        stored(&redis).await,
                        before,
                        "without {missing}, {key:?}, {filled} messages"
                    );
                }
            }
            let before = stored(&redis).await;
            let mark = json!({ "chat": "a:b", "index": 9 }).to_string();
            let request = confab.build(Method::POST, "/api/read").bearer_auth(token("b"));
            if TestResponse::to(request.body(mark)).await.status != 200 {
                assert_eq!(stored(&redis).await, before, "a mark without {missing}");
            }
            redis.empty().await;
        }
    }
    needed.dedup();
    println!("a send needs {needed:?}");
    for command in [
        "evalsha",
        "time",
        "xrevrange",
        "xadd",
        "xlen",
        "hget",
        "hset",
        "pttl",
        "pexpire",
        "zadd",
        "get",
        "set",
    ] {
        assert!(
            needed.iter().any(|needed| needed == command),
            "a send needs no {command}"
        );
    }
}

#[tokio::test]
async fn a_receipt_that_could_not_be_removed_proves_nothing() {
    let redis = Redis::start();
    let other = Confab::start(&redis);
    other.send_all("a:b", "b", ["0"]).await;
    let mut allowed = commands();
    allowed.retain(|command| !["zadd", "hdel"].contains(&&**command));
    let confab = confab_as(&redis, &rules(&allowed)).await;
    assert_eq!(
        confab.send_keyed("a:b", "a", "hi", "k").await.problem(),
        (500, Value::Null)
    );
    assert_eq!(redis.keys("*:sent:131072:*").await.len(), 1);
    // Others take its index, and are trimmed.
    other.send_all("a:b", "b", ["1", "2"]).await;
    redis.command::<()>(["XTRIM", &log_key("a:b"), "MAXLEN", "1"]).await;
    let sent = other.send_keyed("a:b", "a", "hi", "k").await;
    assert_eq!(sent.header("idempotency-replayed"), "");
    assert_eq!(sent.ok()["index"], 3);
    assert_eq!(other.texts(json!({ "chat": "a:b" })).await, ["2", "hi"]);
}

#[tokio::test]
async fn a_user_that_cannot_see_what_was_given_out_loses_no_position() {
    let redis = Redis::start();
    let mut allowed = commands();
    allowed.retain(|command| command != "xinfo|stream");
    Confab::start(&redis).send_all("a:b", "a", ["0", "1"]).await;
    let confab = confab_as(&redis, &rules(&allowed)).await;
    let page = confab.pull(json!({ "chat": "a:b" })).await.ok();
    let after = json!({ "chat": "a:b", "after": page["position"] });
    confab.pull(after.clone()).await.ok();
    redis.command::<()>(["XTRIM", &log_key("a:b"), "MAXLEN", "0"]).await;
    // A 410 would say that the messages were lost.
    assert_eq!(confab.pull(after).await.problem(), (500, Value::Null));
}

#[tokio::test]
async fn a_key_of_the_wrong_type_stores_all_or_nothing() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let limited = limited(&Confab::on(&redis));
    for wrong in [
        "{a:b}:marks",
        "{a}:inbox",
        "{b}:inbox",
        "{a}:feed",
        "{b}:feed",
        "{a}:rate",
        "{a:b}:settings",
    ] {
        let wrong = format!("confab:{wrong}");
        for texts in [&[][..], &["1", "2"]] {
            redis.empty().await;
            confab.send_all("a:b", "b", texts).await;
            redis.delete(&wrong).await;
            if wrong.ends_with("rate") {
                redis.command::<()>(["RPUSH", &wrong, "x"]).await;
            } else {
                redis.command::<()>(["SET", &wrong, "x"]).await;
                charge(&redis).await;
            }
            let before = stored(&redis).await;
            let answer = limited.send_as(&token("a"), "a:b", "hi", Some("k")).await;
            assert_eq!(answer.problem(), (500, Value::Null), "{wrong}");
            assert_eq!(stored(&redis).await, before, "{wrong}");
            redis.delete(&wrong).await;
            let again = limited.send_as(&token("a"), "a:b", "hi", Some("k")).await;
            assert_eq!(
                (again.status, again.header("idempotency-replayed")),
                (200, ""),
                "{wrong}"
            );
        }
    }
}
