//! Deletion over the WIT interface.

use confab_kit::wit::bindings::exports::confab::messaging::messenger::{
    DeleteRequest, Error, FollowRequest, PageRequest, Update,
};
use confab_kit::{Caller, Confab, Redis};
use serde_json::json;

fn page_after(position: &str) -> PageRequest {
    PageRequest {
        chat: "a:b".into(),
        cursor: 0,
        limit: 0,
        reverse: false,
        before: None,
        epoch: None,
        wait: 0,
        after: Some(position.into()),
        caller: None,
    }
}

#[tokio::test]
async fn a_component_deletes_and_hears_of_deletions_as_by_http() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    confab.send_all("a:b", "a", ["0", "1", "2"]).await;
    let page = confab.pull(json!({ "chat": "a:b" })).await.ok();
    let (epoch, position) = (page["epoch"].as_u64().unwrap(), page["position"].as_str().unwrap());
    let time = |index: usize| page["messages"][index]["send_time"].as_u64().unwrap();
    let request = |index: Option<u64>, send_time: Option<u64>, caller: Option<&str>| DeleteRequest {
        chat: "a:b".into(),
        epoch,
        index,
        send_time,
        caller: caller.map(Into::into),
    };
    let mut component = Caller::new(&redis, &[]).await;
    let foreign = component.delete(request(Some(0), Some(time(0)), Some("b"))).await;
    assert!(matches!(foreign, Err(Error::Forbidden(_))), "{foreign:?}");
    let other = component.delete(request(Some(0), Some(time(1)), None)).await;
    assert!(matches!(other, Err(Error::OtherMessage)), "{other:?}");
    let half = component.delete(request(Some(0), None, None)).await;
    assert!(
        matches!(&half, Err(Error::Invalid(why)) if why.field.as_deref() == Some("send-time")),
        "{half:?}"
    );
    component
        .delete(request(Some(0), Some(time(0)), Some("A")))
        .await
        .unwrap();
    component.delete(request(Some(1), Some(time(1)), None)).await.unwrap();

    let pulled = component.pull(page_after(position)).await.unwrap();
    assert!(pulled.messages.is_empty());
    let deleted: Vec<_> = pulled
        .deleted
        .iter()
        .map(|one| (one.index, one.send_time, one.by.as_deref()))
        .collect();
    assert_eq!(deleted, [(0, time(0), Some("a")), (1, time(1), None)]);
    let follow = FollowRequest {
        chat: "a:b".into(),
        after: Some(position.into()),
        cursor: None,
        epoch: None,
        caller: None,
    };
    let updates = component.follow(follow, 3, async {}).await.unwrap();
    let [_, Update::Deleted(first), Update::Deleted(second)] = &updates[..] else {
        panic!("{updates:?}");
    };
    assert_eq!((first.epoch, first.deleted.index, second.deleted.index), (epoch, 0, 1));
    assert_eq!(Some(&second.position), pulled.position.as_ref());

    // A chat: the component is trusted as the service is, but a person deletes none.
    let person = component.delete(request(None, None, Some("a"))).await;
    assert!(
        matches!(&person, Err(Error::Invalid(why)) if why.field.as_deref() == Some("index")),
        "{person:?}"
    );
    component.delete(request(None, None, None)).await.unwrap();
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, [""; 0]);
}
