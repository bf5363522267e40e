//! Makes and reuses the instances of a component, by Spin's rules.

use crate::manifest::Component;
use crate::pool::{Pool, Stacks, Taken};
use crate::program::{Data, Log, Program};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

/// What Spin can be started with: how long instances are used, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many requests an instance serves before it is replaced (`--max-instance-reuse-count`).
    pub reuse_count: usize,
    /// How many stacks there are: one for each instance, two for one with streams (`SPIN_MAX_INSTANCE_COUNT`).
    pub stacks: usize,
}

/// As in Spin 4.1 if nothing is said.
impl Default for Limits {
    fn default() -> Self {
        Self {
            reuse_count: 128,
            stacks: 1000,
        }
    }
}

/// How many requests an instance serves at once, as in Spin 4.1.
pub const REQUESTS_AT_ONCE: usize = 16;

/// How long an instance may be idle before it is dropped, as in Spin 4.1.
pub const IDLE_TIME: Duration = Duration::from_secs(1);

/// Makes the instances of a component of a server.
pub(crate) struct Instances {
    pub(crate) program: Program,
    pub(crate) service: ProxyPre<Data>,
    pub(crate) component: Arc<Component>,
    pub(crate) reuse_count: usize,
    /// All components of the server share it.
    pub(crate) pool: Pool,
    pub(crate) log: Log,
    /// How many it has made.
    pub(crate) made: Arc<AtomicUsize>,
    /// The server has stopped: it is no failure if an instance ends in the middle of its work.
    pub(crate) stopped: Arc<AtomicBool>,
}

impl HandlerState for Instances {
    type StoreData = Data;
    type WorkerExpiration = Idle;
    type WorkerState = Reuse;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Data, Idle, Reuse>> {
        let stacks = Arc::new(self.pool.instance()?);
        let mut store = self.program.store(&self.component, Arc::clone(&self.log));
        self.made.fetch_add(1, Ordering::Relaxed);
        let proxy = self.service.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: Data::http,
            expiration: Idle(Box::pin(tokio::time::sleep(IDLE_TIME))),
            state: Reuse {
                count: self.reuse_count,
                stacks,
                stopped: Arc::clone(&self.stopped),
            },
        })
    }
}

/// Ends an instance that has been idle for [`IDLE_TIME`].
pub(crate) struct Idle(Pin<Box<Sleep>>);

impl WorkerExpiration for Idle {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>, status: WorkerStatus, since: Instant) -> Poll<()> {
        let deadline = match status {
            WorkerStatus::Idle => since.checked_add(IDLE_TIME),
            // As in Spin without a configured request timeout.
            WorkerStatus::Requests | WorkerStatus::PostReturn => None,
        };
        match deadline {
            Some(deadline) => {
                self.0.as_mut().reset(deadline.into());
                self.0.as_mut().poll(context)
            }
            None => Poll::Pending,
        }
    }
}

/// Decides whether an instance takes another request.
pub(crate) struct Reuse {
    count: usize,
    stacks: Arc<Stacks>,
    stopped: Arc<AtomicBool>,
}

impl WorkerState for Reuse {
    type StoreData = Data;
    type RequestData = Taken;

    fn should_accept_request(&self, at_once: usize, in_all: usize) -> ShouldAccept {
        if in_all >= self.count {
            ShouldAccept::Never
        } else if at_once >= REQUESTS_AT_ONCE {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Data>,
        taken: Taken,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        // A request is taken once.
        _ = taken.set(Arc::clone(&self.stacks));
        Box::pin(std::future::pending())
    }

    fn drop(&self, _: Store<Data>, result: wasmtime::Result<()>) {
        if let (Err(error), false) = (result, self.stopped.load(Ordering::Relaxed)) {
            eprintln!("an instance failed: {error:#}");
        }
    }
}
