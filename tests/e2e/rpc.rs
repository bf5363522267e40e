//! The component door: the WIT interface of the same component, called as another component would call it.

use crate::support::{Confab, Redis, app, program, until};
use bindings::exports::confab::messaging::messenger::{Draft, Error, FollowRequest, Invalid, PageRequest, Update};
use serde_json::json;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime::component::{Instance, Source, StreamConsumer, StreamResult};
use wasmtime::{Store, StoreContextMut};

#[allow(
    clippy::allow_attributes,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    reason = "generated code"
)]
mod bindings {
    wasmtime::component::bindgen!({ path: "wit", world: "component-door" });
}

fn draft(chat: &str, sender: &str, text: &str) -> Draft {
    Draft {
        chat: chat.into(),
        text: text.into(),
        sender: sender.into(),
        idempotency_key: None,
    }
}

fn request(chat: &str) -> PageRequest {
    PageRequest {
        chat: chat.into(),
        cursor: 0,
        limit: 0,
        reverse: false,
        before: None,
        epoch: None,
        wait: 0,
    }
}

struct Door {
    store: Store<confab_host::program::Data>,
    door: bindings::ComponentDoor,
}

impl Door {
    async fn open(redis_host: &str) -> Self {
        let log = Arc::new(std::io::empty());
        let (mut store, instance): (_, Instance) = program()
            .instantiate(&app(&[("redis_host", redis_host), ("redis_timeout_ms", "300")]), log)
            .await
            .unwrap();
        let door = bindings::ComponentDoor::new(&mut store, &instance).unwrap();
        Self { store, door }
    }
}

/// Calls a function of the door. (A macro, as the call borrows from the store that it runs in.)
macro_rules! call {
    ($door:expr, $function:ident, $argument:expr) => {{
        let Door { store, door } = &mut $door;
        let messenger = door.confab_messaging_messenger();
        store
            .run_concurrent(async |accessor| messenger.$function(accessor, $argument).await)
            .await
            .unwrap()
            .unwrap()
    }};
}

#[tokio::test]
async fn what_one_door_sends_the_other_pulls() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    let mut door = Door::open(&redis.host()).await;

    let by_wit = call!(door, call_send, draft("Alice:bob", "alice", "by WIT")).unwrap();
    let by_http = confab.send("bob:alice", "bob", "by HTTP").await.ok();
    assert_eq!((by_wit.index, &by_http["index"]), (0, &json!(1)));

    let pulled = confab.pull(json!({ "chat": "alice:bob" })).await.ok();
    assert_eq!(pulled["messages"][0]["text"], "by WIT");
    assert_eq!(pulled["messages"][0]["send_time"], by_wit.send_time);

    let page = call!(door, call_pull, request("alice:bob")).unwrap();
    let seen: Vec<_> = page
        .messages
        .iter()
        .map(|m| (m.index, m.sender.as_str(), m.text.as_str()))
        .collect();
    assert_eq!(seen, [(0, "alice", "by WIT"), (1, "bob", "by HTTP")]);
    assert_eq!(page.messages[1].send_time, by_http["send_time"]);
    assert_eq!(page.next_cursor, None);
}

#[tokio::test]
async fn pages_are_as_they_are_by_http() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    confab.send_all("a:b", "a", (0..25).map(|n| n.to_string())).await;
    let mut door = Door::open(&redis.host()).await;
    for (reverse, before, expected) in [(false, None, 0..25), (true, None, 0..25), (true, Some(15), 0..15)] {
        let mut walk = PageRequest {
            reverse,
            before,
            ..request("a:b")
        };
        let mut seen = Vec::new();
        loop {
            let page = call!(door, call_pull, walk.clone()).unwrap();
            assert!(page.messages.len() <= 10);
            seen.extend(page.messages.iter().map(|message| message.index));
            let Some(next) = page.next_cursor else { break };
            walk.cursor = next;
        }
        let mut expected: Vec<u64> = expected.collect();
        if reverse {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_key_is_the_same_by_both_doors() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    let mut door = Door::open(&redis.host()).await;
    let keyed = |text: &str| Draft {
        idempotency_key: Some("k".into()),
        ..draft("a:b", "a", text)
    };
    let first = call!(door, call_send, keyed("hi")).unwrap();
    let again = call!(door, call_send, keyed("hi")).unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!((first.index, first.send_time), (again.index, again.send_time));
    let by_http = confab.send_keyed("a:b", "a", "hi", "k").await;
    assert_eq!(by_http.header("idempotency-replayed"), "true");
    assert_eq!(by_http.ok()["send_time"], first.send_time);

    let reused = call!(door, call_send, keyed("ho")).unwrap_err();
    assert!(matches!(reused, Error::KeyReused), "{reused:?}");
    let malformed = Draft {
        idempotency_key: Some("a b".into()),
        ..draft("a:b", "a", "hi")
    };
    let malformed = call!(door, call_send, malformed).unwrap_err();
    assert!(matches!(malformed, Error::Invalid(_)), "{malformed:?}");
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi"]);
}

#[tokio::test]
async fn a_cursor_of_a_log_that_is_gone_is_told_of_the_new_one() {
    let redis = Redis::start();
    let mut door = Door::open(&redis.host()).await;
    let sent = call!(door, call_send, draft("a:b", "a", "hi")).unwrap();
    let page = call!(door, call_pull, request("a:b")).unwrap();
    assert_eq!((page.epoch, page.first_index), (sent.send_time, 0));
    redis.delete("confab:{a:b}:log").await;
    let sent = call!(door, call_send, draft("a:b", "a", "hi")).unwrap();
    let stale = PageRequest {
        epoch: Some(page.epoch),
        ..request("a:b")
    };
    let gone = call!(door, call_pull, stale).unwrap_err();
    assert!(
        matches!(gone, Error::Gone(epoch) if epoch == sent.send_time),
        "{gone:?}"
    );
}

/// Takes what a follower is told, a few updates at a time, until `wanted` of them are there.
struct Updates {
    wanted: usize,
    told: Vec<Update>,
    done: Option<oneshot::Sender<Vec<Update>>>,
}

impl<D> StreamConsumer<D> for Updates {
    type Item = Update;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<D>,
        mut source: Source<Update>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut some = Vec::with_capacity(3);
        source.read(store, &mut some)?;
        self.told.extend(some);
        if self.told.len() < self.wanted {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        if let Some(done) = self.done.take() {
            let wanted = self.wanted;
            done.send(self.told.drain(..wanted).collect()).unwrap();
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

impl Door {
    /// The first `wanted` updates that a follower is told, while `meanwhile` goes on.
    async fn follow(
        &mut self,
        request: FollowRequest,
        wanted: usize,
        meanwhile: impl Future<Output = ()>,
    ) -> Vec<Update> {
        let Self { store, door } = self;
        let messenger = door.confab_messaging_messenger();
        let (done, told) = oneshot::channel();
        let following = store.run_concurrent(async |accessor| {
            let stream = messenger.call_follow(accessor, request).await.unwrap().unwrap();
            let updates = Updates {
                wanted,
                told: Vec::new(),
                done: Some(done),
            };
            accessor.with(|store| stream.pipe(store, updates)).unwrap();
            told.await.unwrap()
        });
        let (told, ()) = tokio::join!(following, meanwhile);
        told.unwrap()
    }
}

#[tokio::test]
async fn a_follower_is_told_the_same_by_both_doors() {
    let redis = Redis::start();
    let confab = Confab::start(&redis).await;
    confab.send_all("a:b", "a", (0..3).map(|n| n.to_string())).await;
    let pulled = confab.pull(json!({ "chat": "a:b" })).await.ok();
    let epoch = pulled["epoch"].as_u64().unwrap();
    let request = |cursor, epoch| FollowRequest {
        chat: "a:b".into(),
        cursor,
        epoch,
    };
    let words = |told: Vec<Update>| {
        let words = told.into_iter().map(|update| match update {
            Update::Message((of, message)) if of == epoch => format!("{} {}", message.index, message.text),
            other => format!("{other:?}"),
        });
        words.collect::<Vec<_>>()
    };
    let mut door = Door::open(&redis.host()).await;
    let sending = async {
        until("it waits for more", async || redis.blocked().await == 1).await;
        confab.send_all("a:b", "b", ["now"]).await;
    };
    let told = door.follow(request(Some(1), Some(epoch)), 3, sending).await;
    assert_eq!(words(told), ["1 1", "2 2", "3 now"]);

    let mut door = Door::open(&redis.host()).await;
    let sending = async {
        until("it waits for what comes", async || redis.blocked().await == 1).await;
        confab.send_all("a:b", "b", ["then"]).await;
    };
    let told = door.follow(request(None, None), 1, sending).await;
    assert_eq!(words(told), ["4 then"]);

    let mut door = Door::open(&redis.host()).await;
    let told = door.follow(request(Some(1), Some(5)), 2, async {}).await;
    assert_eq!(words(told), [format!("Update::Reset({epoch})"), "0 0".into()]);

    let mut door = Door::open(&redis.host()).await;
    let refused = FollowRequest {
        chat: "a".into(),
        ..request(None, None)
    };
    let refused = call!(door, call_follow, refused).err().unwrap();
    assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
}

#[tokio::test]
async fn each_error_is_a_case_of_its_own() {
    let mut redis = Redis::start();
    let mut door = Door::open(&redis.host()).await;
    let invalid = |error: Error, field: &str| {
        assert!(
            matches!(&error, Error::Invalid(Invalid { field: Some(got), .. }) if got == field),
            "{error:?}"
        );
    };
    invalid(call!(door, call_send, draft("ab", "a", "hi")).unwrap_err(), "chat");
    invalid(call!(door, call_send, draft("a:b", "c", "hi")).unwrap_err(), "sender");
    invalid(call!(door, call_send, draft("a:b", "a", "")).unwrap_err(), "text");
    invalid(call!(door, call_pull, request("a:b:c")).unwrap_err(), "chat");
    let too_large = call!(door, call_send, draft("a:b", "a", &"x".repeat(65_537))).unwrap_err();
    assert!(matches!(too_large, Error::TooLarge(_)), "{too_large:?}");

    let set = redis::cmd("SET").arg("confab:{a:b}:log").arg("not a log").to_owned();
    let () = set.query_async(&mut redis.connect().await).await.unwrap();
    let internal = call!(door, call_pull, request("a:b")).unwrap_err();
    assert!(matches!(internal, Error::Internal), "{internal:?}");

    redis.kill();
    let unavailable = call!(door, call_send, draft("a:b", "a", "hi")).unwrap_err();
    assert!(matches!(unavailable, Error::Unavailable), "{unavailable:?}");
}
