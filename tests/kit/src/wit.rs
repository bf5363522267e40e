//! A caller of the WIT interface, as another component would call it.

use crate::Endpoint;
use crate::component::{app, program};
use crate::place::only_here;
use crate::wait::TIMEOUT;
use bindings::exports::confab::messaging::messenger::{
    DeleteRequest, Draft, Error, FollowInboxRequest, FollowRequest, InboxPage, InboxRequest, InboxUpdate, Mark,
    MarkRequest, Page, PageRequest, Receipt, Settings, SettingsRequest, Update,
};
use confab_host::program::Data;
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime::component::{Accessor, Lift, Source, StreamConsumer, StreamReader, StreamResult};
use wasmtime::{Store, StoreContextMut};

#[allow(
    clippy::allow_attributes,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    reason = "generated code"
)]
pub mod bindings {
    wasmtime::component::bindgen!({ path: "../../wit", world: "component-door" });
}

/// An instance of the component.
pub struct Caller {
    store: Store<Data>,
    exports: bindings::ComponentDoor,
}

impl Caller {
    /// Makes an instance on this Redis, with these values for its variables.
    pub async fn new(redis: &(impl Endpoint + ?Sized), variables: &[(&str, &str)]) -> Self {
        only_here("it calls the WIT interface, which has no address");
        let mut values = HashMap::from([("redis_host".to_owned(), redis.host())]);
        values.extend(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let log = Arc::new(std::io::empty());
        let (mut store, instance) = program().instantiate(app(values).component("/"), log).await.unwrap();
        let exports = bindings::ComponentDoor::new(&mut store, &instance).unwrap();
        Self { store, exports }
    }

    /// Calls `send`.
    pub async fn send(&mut self, draft: Draft) -> Result<Receipt, Error> {
        let messenger = self.exports.confab_messaging_messenger();
        let call = self
            .store
            .run_concurrent(async |accessor| messenger.call_send(accessor, draft).await);
        call.await.unwrap().unwrap()
    }

    /// Calls `pull`.
    pub async fn pull(&mut self, request: PageRequest) -> Result<Page, Error> {
        let messenger = self.exports.confab_messaging_messenger();
        let call = self
            .store
            .run_concurrent(async |accessor| messenger.call_pull(accessor, request).await);
        call.await.unwrap().unwrap()
    }

    /// Calls `follow`, and returns the first `wanted` updates. `meanwhile` runs at the same time.
    pub async fn follow(
        &mut self,
        request: FollowRequest,
        wanted: usize,
        meanwhile: impl Future<Output = ()>,
    ) -> Result<Vec<Update>, Error> {
        let messenger = self.exports.confab_messaging_messenger();
        let following = self.store.run_concurrent(async |accessor| {
            let stream = messenger.call_follow(accessor, request).await.unwrap()?;
            Ok(first(accessor, stream, wanted).await)
        });
        let (received, ()) = tokio::join!(following, meanwhile);
        received.unwrap()
    }

    /// Calls `inbox`.
    pub async fn inbox(&mut self, request: InboxRequest) -> Result<InboxPage, Error> {
        let messenger = self.exports.confab_messaging_messenger();
        let call = self
            .store
            .run_concurrent(async |accessor| messenger.call_inbox(accessor, request).await);
        call.await.unwrap().unwrap()
    }

    /// Calls `read`.
    pub async fn read(&mut self, request: MarkRequest) -> Result<Mark, Error> {
        let messenger = self.exports.confab_messaging_messenger();
        let call = self
            .store
            .run_concurrent(async |accessor| messenger.call_read(accessor, request).await);
        call.await.unwrap().unwrap()
    }

    /// Calls `set`.
    pub async fn set(&mut self, request: SettingsRequest) -> Result<Settings, Error> {
        let messenger = self.exports.confab_messaging_messenger();
        let call = self
            .store
            .run_concurrent(async |accessor| messenger.call_set(accessor, request).await);
        call.await.unwrap().unwrap()
    }

    /// Calls `delete`.
    pub async fn delete(&mut self, request: DeleteRequest) -> Result<(), Error> {
        let messenger = self.exports.confab_messaging_messenger();
        let call = self
            .store
            .run_concurrent(async |accessor| messenger.call_delete(accessor, request).await);
        call.await.unwrap().unwrap()
    }

    /// Calls `follow-inbox`, and returns the first `wanted` updates. `meanwhile` runs at the same time.
    pub async fn follow_inbox(
        &mut self,
        request: FollowInboxRequest,
        wanted: usize,
        meanwhile: impl Future<Output = ()>,
    ) -> Result<Vec<InboxUpdate>, Error> {
        let messenger = self.exports.confab_messaging_messenger();
        let following = self.store.run_concurrent(async |accessor| {
            let stream = messenger.call_follow_inbox(accessor, request).await.unwrap()?;
            Ok(first(accessor, stream, wanted).await)
        });
        let (received, ()) = tokio::join!(following, meanwhile);
        received.unwrap()
    }
}

/// The first `wanted` items of a stream.
async fn first<T: Lift + Send + Sync + Unpin + fmt::Debug + 'static>(
    accessor: &Accessor<Data>,
    stream: StreamReader<T>,
    wanted: usize,
) -> Vec<T> {
    let (done, received) = oneshot::channel();
    let updates = Updates {
        wanted,
        received: Vec::new(),
        done: Some(done),
    };
    accessor.with(|store| stream.pipe(store, updates)).unwrap();
    let received = tokio::time::timeout(TIMEOUT, received).await;
    received
        .unwrap_or_else(|_| panic!("timed out after {TIMEOUT:?} waiting for {wanted} items"))
        .unwrap()
}

/// Reads a few updates at a time, until `wanted` of them are there.
struct Updates<T> {
    wanted: usize,
    received: Vec<T>,
    done: Option<oneshot::Sender<Vec<T>>>,
}

impl<D, T: Lift + Send + Unpin + fmt::Debug + 'static> StreamConsumer<D> for Updates<T> {
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<D>,
        mut source: Source<T>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut some = Vec::with_capacity(3);
        source.read(store, &mut some)?;
        self.received.extend(some);
        if self.received.len() < self.wanted {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        if let Some(done) = self.done.take() {
            let wanted = self.wanted;
            done.send(self.received.drain(..wanted).collect()).unwrap();
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}
