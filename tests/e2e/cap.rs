//! A chat keeps as many messages as it may have, and lowering that number keeps no other client of Redis waiting.

use confab_kit::{Confab, Redis, log_key, numbers};
use serde_json::json;

#[tokio::test]
async fn a_chat_keeps_the_newest_messages() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("max_messages_per_chat", 3).start();
    for (sent, left) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 3)] {
        confab.send_all("a:b", "a", [sent.to_string()]).await;
        let stored: u64 = redis.command(["XLEN", &log_key("a:b")]).await;
        assert_eq!(stored, left, "after {sent}");
    }
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["3", "4", "5"]);
}

#[tokio::test]
async fn a_lowered_cap_removes_at_most_a_thousand_messages_per_send() {
    let redis = Redis::start();
    let log = log_key("a:b");
    let mut fill = redis::pipe();
    for number in numbers(1..4501) {
        fill.cmd("XADD").arg(&log).arg("1-*").arg(number).arg("a:hi").ignore();
    }
    let () = fill.query_async(&mut redis.connect().await).await.unwrap();
    let confab = Confab::on(&redis).variable("max_messages_per_chat", 10).start();
    for left in [3501, 2502, 1503, 504, 10, 10] {
        confab.send_all("a:b", "a", ["hi"]).await;
        let stored: u64 = redis.command(["XLEN", &log]).await;
        assert_eq!(stored, left);
    }
}
