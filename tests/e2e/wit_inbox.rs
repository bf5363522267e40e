//! The inbox over the WIT interface: the same as over HTTP.

use confab_kit::wit::bindings::exports::confab::messaging::messenger::{
    Error, FollowInboxRequest, InboxChange, InboxEntry, InboxRequest, MarkRequest,
};
use confab_kit::{Caller, Confab, Redis, numbers, until};
use serde_json::{Value, json};

/// An entry as HTTP returns it.
fn json_of(entry: &InboxEntry) -> Value {
    let mut last = json!({
        "text": entry.last.text, "sender": entry.last.sender, "member": entry.last.sender.to_lowercase(), "send_time": entry.last.send_time, "index": entry.last.index,
    });
    if let Some(data) = &entry.last.data {
        last["data"] = data.parse().unwrap();
    }
    if entry.cut {
        last["cut"] = json!(true);
    }
    json!({
        "chat": entry.chat, "with": entry.with_name, "last": last, "epoch": entry.epoch, "unread": entry.unread,
        "read": entry.read, "read_position": entry.read_position,
        "read_by_other": entry.read_by_other, "read_by_other_position": entry.read_by_other_position,
    })
}

#[tokio::test]
async fn a_wit_inbox_is_the_same_as_over_http() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "B", numbers(0..3)).await;
    confab.send_all("a:c", "a", ["x".repeat(300)]).await;
    let mut caller = Caller::new(&redis, &[]).await;
    let page = async |caller: &mut Caller, before| {
        let request = InboxRequest {
            name: "A".into(),
            limit: 1,
            before,
        };
        caller.inbox(request).await
    };
    let first = page(&mut caller, None).await.unwrap();
    let second = page(&mut caller, first.next.clone()).await.unwrap();
    assert_eq!(second.next, None);
    let entries: Vec<_> = [first, second].iter().map(|page| json_of(&page.chats[0])).collect();
    assert_eq!(entries, confab.inbox("a").await);

    let read = |chat: &str, position: Option<String>, index| MarkRequest {
        name: "A".into(),
        chat: chat.into(),
        position,
        index,
        epoch: None,
    };
    let position = confab.pull(json!({ "chat": "a:b", "limit": 2 })).await.ok()["position"].clone();
    let position = position.as_str().map(str::to_owned);
    let mark = caller.read(read("a:b", position.clone(), None)).await.unwrap();
    assert_eq!((mark.read, mark.unread, Some(mark.read_position)), (2, 1, position));
    let mark = caller.read(read("a:b", None, Some(99))).await.unwrap();
    assert_eq!((mark.read, mark.unread), (3, 0));
    let gone = caller.read(read("a:b", Some("1-1-1".into()), None)).await.unwrap_err();
    assert!(matches!(gone, Error::Gone(_)), "{gone:?}");
    let refused = caller.read(read("b:c", None, Some(0))).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Invalid(invalid) if invalid.field.as_deref() == Some("name")),
        "{refused:?}"
    );
    let refused = page(&mut caller, Some("x".into())).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Invalid(invalid) if invalid.field.as_deref() == Some("before")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_wit_follower_of_an_inbox_receives_a_page_and_then_what_changes() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "b", ["1"]).await;
    let request = |after| FollowInboxRequest {
        name: "a".into(),
        limit: 0,
        after,
    };
    let send = async |text: &str| {
        until("the follower waits", async || redis.blocked().await == 1).await;
        confab.send_all("a:b", "b", [text]).await;
    };
    let mut caller = Caller::new(&redis, &[]).await;
    let updates = caller.follow_inbox(request(None), 2, send("2")).await.unwrap();
    let (InboxChange::All(page), InboxChange::Chat(chat)) = (&updates[0].change, &updates[1].change) else {
        panic!("{updates:?}");
    };
    assert_eq!(
        (&*page.chats[0].last.text, &*chat.last.text, chat.unread),
        ("1", "2", 2)
    );
    confab.send_all("a:c", "c", ["3"]).await;
    let mut caller = Caller::new(&redis, &[]).await;
    let after = Some(updates[1].position.clone());
    let updates = caller.follow_inbox(request(after), 1, async {}).await.unwrap();
    assert!(
        matches!(&updates[0].change, InboxChange::Chat(chat) if chat.chat == "a:c"),
        "{updates:?}"
    );
}
