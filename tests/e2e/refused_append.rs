//! A message that Redis refuses to append after all else of its send was written.

use crate::all_or_nothing::stored;
use confab_kit::{Confab, Redis, log_key};
use serde_json::Value;

#[tokio::test]
async fn an_append_that_redis_refuses_at_the_end_stores_nothing() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    for texts in [&["1"][..], &["1", "2"]] {
        redis.empty().await;
        confab.send_all("a:b", "b", texts).await;
        if texts.len() > 1 {
            confab.send_all("a:b", "a", ["3"]).await;
        }
        // Somebody has added a later id by hand, and removed it: no entry of this epoch can follow. All but the append succeeds.
        let later = format!("{}-0", confab.epoch("a:b").await + 1);
        redis.command::<()>(["XSETID", &log_key("a:b"), &later]).await;
        let before = stored(&redis).await;
        let answer = confab.send_keyed("a:b", "a", "hi", "k").await;
        assert_eq!(answer.problem(), (500, Value::Null));
        assert_eq!(stored(&redis).await, before, "after {texts:?}");
    }
}
