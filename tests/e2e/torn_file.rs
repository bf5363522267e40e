//! A crash of Redis's machine tears the end off its append-only file: what becomes of what is acknowledged after it.

use confab_kit::{Confab, Redis};
use serde_json::json;

/// A send whose transaction is torn at its end, a start of Redis, another send, and a second crash. Returns what the chat has then.
async fn texts_after_a_torn_send(rewritten: bool) -> Vec<String> {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["one", "torn off"]).await;
    redis.kill();
    // Inside of `EXEC`.
    redis.tear(4);
    redis.restart();
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["one"]);
    if rewritten {
        redis.rewrite().await;
    }
    confab.send_all("a:b", "b", ["acknowledged"]).await;
    redis.kill();
    redis.restart();
    confab.texts(json!({ "chat": "a:b" })).await
}

/// Redis ignores a transaction without its end, but keeps it in the file, and reads it again as the beginning of the next one.
#[tokio::test]
async fn a_torn_send_may_come_back_in_place_of_an_acknowledged_one_unless_the_file_is_rewritten() {
    assert_eq!(texts_after_a_torn_send(false).await, ["one", "torn off"]);
    assert_eq!(texts_after_a_torn_send(true).await, ["one", "acknowledged"]);
}
