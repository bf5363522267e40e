//! Redis's clock set back and forth: send times still only grow.

use crate::support::{Confab, Redis, walk};
use serde_json::json;

#[tokio::test]
async fn send_times_grow_whatever_the_clock_of_redis_does() {
    // A real redis-server whose `gettimeofday` is off by as much as the test says.
    let (redis, clock) = Redis::with_a_clock();
    let confab = Confab::start(&redis).await;
    let mut last = 0;
    for (index, seconds) in [0, -3600, -3600, 7200, 3600, 0, -86_400 * 365].into_iter().enumerate() {
        clock.set(seconds);
        let before = redis.time().await;
        let sent = confab.send("a:b", "a", &index.to_string()).await.ok();
        let time = sent["send_time"].as_u64().unwrap();
        assert!(time > last, "{time} is not after {last}");
        assert_eq!(sent["index"], index);
        // It is Redis's own time as long as that is later; else it is as little later as can be.
        assert!(
            time >= before && (time == last + 1 || time < before + 60_000_000),
            "{time}, at {before}"
        );
        last = time;
    }
    let walked = walk(&confab, json!({ "chat": "a:b", "limit": 2 })).await;
    assert!(walked.is_sorted_by_key(|message| message["send_time"].as_u64()));
}

#[tokio::test]
async fn a_log_that_is_lost_while_the_clock_is_set_back_is_another_log_all_the_same() {
    let (redis, clock) = Redis::with_a_clock();
    let confab = Confab::start(&redis).await;
    confab.send_all("a:b", "a", ["0"]).await;
    let old = confab.pull(json!({ "chat": "a:b" })).await.ok()["epoch"].clone();
    redis.delete("confab:{a:b}:log").await;
    clock.set(-3600);
    confab.send_all("a:b", "a", ["new"]).await;
    let gone = confab.pull(json!({ "chat": "a:b", "cursor": 1, "epoch": old })).await;
    assert_eq!(gone.problem(), (410, json!("epoch")));
}
