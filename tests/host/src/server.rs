//! Serves a component over HTTP, with Spin's rules for the reuse of instances.

use crate::manifest::App;
use crate::program::{Data, Log, Program};
use anyhow::Result;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HOST;
use hyper::http::uri::{Authority, Scheme};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView};

/// How many requests an instance serves in all before it is replaced, as in Spin 4.1.
pub const REQUESTS_PER_INSTANCE: usize = 128;

/// How many requests an instance serves at once, as in Spin 4.1.
pub const REQUESTS_AT_ONCE: usize = 16;

/// How long an instance may have nothing to do before it is dropped, as in Spin 4.1.
pub const IDLE_TIME: Duration = Duration::from_secs(1);

/// How long a stopping server waits for the requests under way.
const STOP_TIME: Duration = Duration::from_secs(5);

/// A running server. It stops when it is dropped, in the middle of requests; or with [`Server::stop`], after them.
pub struct Server {
    address: SocketAddr,
    instances: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    stopping: Arc<Notify>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Serves `app` on `listener` until it is stopped. Instances write their logs to `log`; `failed` is told one line of each
    /// request that is answered with a status of 400 or above.
    pub fn start(program: &Program, app: &Arc<App>, listener: TcpListener, log: Log, failed: fn(&str)) -> Result<Self> {
        let address = listener.local_addr()?;
        let instances = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let handler = ProxyHandler::new(Instances {
            service: program.service()?,
            program: program.clone(),
            app: Arc::clone(app),
            log,
            made: Arc::clone(&instances),
            stopped: Arc::clone(&stopped),
        });
        let stopping = Arc::new(Notify::new());
        let accepting = tokio::spawn(accept(listener, handler, failed, Arc::clone(&stopping)));
        Ok(Self {
            address,
            instances,
            stopped,
            stopping,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many instances it has made so far.
    pub fn instances(&self) -> usize {
        self.instances.load(Ordering::Relaxed)
    }

    /// Takes no more connections, and waits up to 5 s for the requests under way.
    pub async fn stop(mut self) {
        self.stopping.notify_one();
        // An accepting task that ended early has nothing left to stop.
        _ = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.stopped.store(true, Ordering::Relaxed);
    }
}

async fn accept(listener: TcpListener, handler: ProxyHandler<Instances>, failed: fn(&str), stopping: Arc<Notify>) {
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Too many open files, or a client that left already: others may still come.
                Err(error) => {
                    failed(&format!("a connection could not be accepted: {error}"));
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
            () = stopping.notified() => break,
        };
        let handler = handler.clone();
        let service = service_fn(move |request| answer(handler.clone(), request, failed));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is no concern of the server's.
            _ = connection.await;
        });
    }
    drop(listener);
    _ = tokio::time::timeout(STOP_TIME, connections.shutdown()).await;
}

async fn answer(
    handler: ProxyHandler<Instances>,
    request: Request<Incoming>,
    failed: fn(&str),
) -> Result<Response<WasiBody>, Error> {
    let started = Instant::now();
    let what = format!("{} {}", request.method(), request.uri().path());
    let plain = |status: StatusCode, text: &'static str| {
        let body = Full::new(Bytes::from_static(text.as_bytes()));
        let mut response = Response::new(body.map_err(Error::from).boxed_unsync());
        *response.status_mut() = status;
        response
    };
    let mut cause = String::new();
    let response = match with_authority(request) {
        None => plain(StatusCode::BAD_REQUEST, "a request needs a valid Host header\n"),
        Some(request) => match handler
            .handle((), request.map(|body| body.map_err(Error::from).boxed_unsync()))
            .await
        {
            Ok(response) => response,
            Err(error) => {
                cause = format!(": {error:#}");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "")
            }
        },
    };
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        failed(&format!("{what} {} {:?}{cause}", status.as_u16(), started.elapsed()));
    }
    Ok(response)
}

/// The request with the scheme and authority that it was sent to, which components see.
fn with_authority(mut request: Request<Incoming>) -> Option<Request<Incoming>> {
    let host: Authority = request.headers().get(HOST)?.to_str().ok()?.parse().ok()?;
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(host);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    Some(request)
}

/// Makes the instances of a server.
struct Instances {
    program: Program,
    service: ProxyPre<Data>,
    app: Arc<App>,
    log: Log,
    made: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl HandlerState for Instances {
    type StoreData = Data;
    type WorkerExpiration = Idle;
    type WorkerState = Reuse;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Data, Idle, Reuse>> {
        let mut store = self.program.store(&self.app, Arc::clone(&self.log));
        self.made.fetch_add(1, Ordering::Relaxed);
        let proxy = self.service.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: Data::http,
            expiration: Idle(Box::pin(tokio::time::sleep(IDLE_TIME))),
            state: Reuse {
                stopped: Arc::clone(&self.stopped),
            },
        })
    }
}

/// Ends an instance that has had nothing to do for [`IDLE_TIME`].
struct Idle(Pin<Box<Sleep>>);

impl WorkerExpiration for Idle {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>, status: WorkerStatus, since: Instant) -> Poll<()> {
        let deadline = match status {
            WorkerStatus::Idle => since.checked_add(IDLE_TIME),
            // As in Spin, where no request timeout is configured.
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

/// How much an instance may take on.
struct Reuse {
    /// The server has stopped: an instance that now ends with its thread is no failure.
    stopped: Arc<AtomicBool>,
}

impl WorkerState for Reuse {
    type StoreData = Data;
    type RequestData = ();

    fn should_accept_request(&self, at_once: usize, in_all: usize) -> ShouldAccept {
        if in_all >= REQUESTS_PER_INSTANCE {
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
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(std::future::pending())
    }

    fn drop(&self, _: Store<Data>, result: wasmtime::Result<()>) {
        if let (Err(error), false) = (result, self.stopped.load(Ordering::Relaxed)) {
            eprintln!("an instance failed: {error:#}");
        }
    }
}
