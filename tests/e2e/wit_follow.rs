//! Following a chat over the WIT interface.

use confab_kit::wit::bindings::exports::confab::messaging::messenger::{Error, FollowRequest, Update};
use confab_kit::{Caller, Confab, Redis, numbers, until};
use serde_json::json;

fn request(cursor: Option<u64>, epoch: Option<u64>) -> FollowRequest {
    FollowRequest {
        chat: "a:b".into(),
        after: None,
        cursor,
        epoch,
        caller: None,
    }
}

/// Each update as text: a message's index and text, or else the whole update. Positions are as over HTTP.
fn texts(updates: Vec<Update>, epoch: u64) -> Vec<String> {
    let texts = updates.into_iter().map(|update| match update {
        Update::Open(open) => format!("open {} {}", open.epoch == epoch, open.position.unwrap_or_default()),
        Update::Message(followed) => {
            let message = followed.message;
            let position = format!("{epoch}-{}-{}", message.index, message.send_time);
            assert_eq!((followed.epoch, followed.position), (epoch, position));
            format!("{} {}", message.index, message.text)
        }
        Update::Reset(reset) => format!("reset {} {}", reset.index, reset.position),
        Update::Deleted(deletion) => format!("deleted {}", deletion.deleted.index),
        Update::Gap(gap) => format!("{gap:?}"),
    });
    texts.collect()
}

#[tokio::test]
async fn a_wit_follower_receives_the_same_updates_as_an_http_one() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", numbers(0..3)).await;
    let epoch = confab.epoch("a:b").await;
    let messages = confab.walk(json!({ "chat": "a:b" })).await;
    let send = async |text: &str| {
        until("the follower waits", async || redis.blocked().await == 1).await;
        confab.send_all("a:b", "b", [text]).await;
    };

    let position = |index: usize| {
        let message = &messages[index];
        format!("{epoch}-{}-{}", message["index"], message["send_time"])
    };
    let mut caller = Caller::new(&redis, &[]).await;
    let updates = caller.follow(request(Some(1), Some(epoch)), 4, send("now")).await;
    let open = format!("open true {}", position(0));
    assert_eq!(texts(updates.unwrap(), epoch), [open.as_str(), "1 1", "2 2", "3 now"]);

    let after = FollowRequest {
        after: Some(position(1)),
        ..request(Some(0), None)
    };
    let mut caller = Caller::new(&redis, &[]).await;
    let updates = caller.follow(after, 2, async {}).await;
    let open = format!("open true {}", position(1));
    assert_eq!(texts(updates.unwrap(), epoch), [open.as_str(), "2 2"]);

    let mut caller = Caller::new(&redis, &[]).await;
    let updates = caller.follow(request(None, None), 2, send("then")).await;
    assert_eq!(texts(updates.unwrap(), epoch)[1..], ["4 then"]);

    for (request, open) in [
        (request(Some(1), Some(5)), "open true 5-0-0"),
        (
            FollowRequest {
                after: Some("?".into()),
                ..request(None, None)
            },
            "open true ",
        ),
    ] {
        let mut caller = Caller::new(&redis, &[]).await;
        let updates = caller.follow(request, 3, async {}).await;
        assert_eq!(texts(updates.unwrap(), epoch), [open, "reset 0 0", "0 0"]);
    }
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
