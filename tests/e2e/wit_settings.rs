//! Settings over the WIT interface.

use confab_kit::wit::bindings::exports::confab::messaging::messenger::{Draft, Error, SettingsRequest};
use confab_kit::{Caller, Redis};

#[tokio::test]
async fn a_component_sets_and_is_blocked_as_everybody() {
    let redis = Redis::start();
    let mut component = Caller::new(&redis, &[]).await;
    let draft = |sender: &str| Draft {
        chat: "a:b".into(),
        text: "hi".into(),
        data: None,
        sender: sender.into(),
        idempotency_key: None,
    };
    let request = |name: Option<&str>, blocked, open| SettingsRequest {
        name: name.map(Into::into),
        chat: "a:b".into(),
        blocked,
        muted: None,
        open,
    };
    let nothing = component.set(request(Some("a"), Some(true), None)).await;
    assert!(matches!(nothing, Err(Error::NoMessages)), "{nothing:?}");
    component.send(draft("b")).await.unwrap();
    let set = component.set(request(Some("A"), Some(true), None)).await.unwrap();
    assert_eq!((set.blocked, set.muted, set.open), (true, false, false));
    let blocked = component.send(draft("b")).await;
    assert!(matches!(blocked, Err(Error::Blocked)), "{blocked:?}");
    component.send(draft("a")).await.unwrap();
    let open = component.set(request(None, None, Some(true))).await.unwrap();
    assert_eq!((open.blocked, open.open), (false, true));
    let invalid = component.set(request(None, Some(true), None)).await;
    assert!(
        matches!(&invalid, Err(Error::Invalid(why)) if why.field.as_deref() == Some("name")),
        "{invalid:?}"
    );
}
