//! Following a chat over the WIT interface.

use confab_kit::wit::bindings::exports::confab::messaging::messenger::{Error, FollowRequest, Update};
use confab_kit::{Caller, Confab, Redis, numbers, until};

fn request(cursor: Option<u64>, epoch: Option<u64>) -> FollowRequest {
    FollowRequest {
        chat: "a:b".into(),
        cursor,
        epoch,
    }
}

/// Each update as text: a message's index and text, or else the whole update.
fn texts(updates: Vec<Update>, epoch: u64) -> Vec<String> {
    let texts = updates.into_iter().map(|update| match update {
        Update::Message((of, message)) if of == epoch => format!("{} {}", message.index, message.text),
        other => format!("{other:?}"),
    });
    texts.collect()
}

#[tokio::test]
async fn a_wit_follower_receives_the_same_updates_as_an_http_one() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..3)).await;
    let epoch = confab.epoch("a:b").await;
    let send = async |text: &str| {
        until("the follower waits", async || redis.blocked().await == 1).await;
        confab.send_all("a:b", "b", [text]).await;
    };

    let mut caller = Caller::new(&redis, &[]).await;
    let updates = caller.follow(request(Some(1), Some(epoch)), 3, send("now")).await;
    assert_eq!(texts(updates.unwrap(), epoch), ["1 1", "2 2", "3 now"]);

    let mut caller = Caller::new(&redis, &[]).await;
    let updates = caller.follow(request(None, None), 1, send("then")).await;
    assert_eq!(texts(updates.unwrap(), epoch), ["4 then"]);

    let mut caller = Caller::new(&redis, &[]).await;
    let updates = caller.follow(request(Some(1), Some(5)), 2, async {}).await;
    let reset = format!("Update::Reset({epoch})");
    assert_eq!(texts(updates.unwrap(), epoch), [reset.as_str(), "0 0"]);
}

#[tokio::test]
async fn a_wrong_request_to_follow_is_refused() {
    let redis = Redis::start();
    let mut caller = Caller::new(&redis, &[]).await;
    let wrong = FollowRequest {
        chat: "a".into(),
        ..request(None, None)
    };
    let refused = caller.follow(wrong, 1, async {}).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
}
