//! Serves a component over HTTP.

use crate::instances::{Instances, Limits};
use crate::manifest::{App, Component};
use crate::pool::{Pool, Taken};
use crate::program::{Log, Program};
use anyhow::Result;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::http::uri::{Authority, Scheme};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use wasmtime::error::Context as _;
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::{Error, WasiBody};

/// How long a stopping server waits for the requests under way.
const STOP_TIME: Duration = Duration::from_secs(5);

/// A running server. It stops at once when it is dropped, or after the requests under way with [`Server::stop`].
pub struct Server {
    address: SocketAddr,
    instances: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    stopping: Arc<Notify>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Serves `app` on `listener` until it is stopped. Instances write their logs to `log`. `failed` receives one line for each
    /// request whose status is 400 or above.
    pub fn start(
        program: &Program,
        app: &Arc<App>,
        limits: Limits,
        listener: TcpListener,
        log: &Log,
        failed: fn(&str),
    ) -> Result<Self> {
        let address = listener.local_addr()?;
        let instances = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let pool = Pool::new(limits.stacks);
        let handler = |component| {
            let handler = ProxyHandler::new(Instances {
                service: program.service()?,
                program: program.clone(),
                component: Arc::clone(&component),
                reuse_count: limits.reuse_count,
                pool: pool.clone(),
                log: Arc::clone(log),
                made: Arc::clone(&instances),
                stopped: Arc::clone(&stopped),
            });
            Ok((component, handler))
        };
        let handlers = app.components().into_iter().map(handler).collect::<Result<_>>()?;
        let serving = Arc::new(Serving {
            app: Arc::clone(app),
            handlers,
            failed,
        });
        let stopping = Arc::new(Notify::new());
        let accepting = tokio::spawn(accept(listener, serving, Arc::clone(&stopping)));
        Ok(Self {
            address,
            instances,
            stopped,
            stopping,
            accepting,
        })
    }

    /// The address on which it listens.
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
        // If the task has ended early, nothing is left to stop.
        _ = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// What answers requests.
struct Serving {
    app: Arc<App>,
    handlers: Vec<(Arc<Component>, ProxyHandler<Instances>)>,
    failed: fn(&str),
}

async fn accept(listener: TcpListener, serving: Arc<Serving>, stopping: Arc<Notify>) {
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Too many files are open, or the client has left already. Others may still come.
                Err(error) => {
                    (serving.failed)(&format!("a connection could not be accepted: {error}"));
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
            () = stopping.notified() => break,
        };
        let serving = Arc::clone(&serving);
        let service = service_fn(move |request| answer(Arc::clone(&serving), request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is no failure of the server.
            _ = connection.await;
        });
    }
    drop(listener);
    _ = tokio::time::timeout(STOP_TIME, connections.shutdown()).await;
}

async fn answer(serving: Arc<Serving>, request: Request<Incoming>) -> Result<Response<WasiBody>, Error> {
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
        Some(request) => serving.handle(request).await.unwrap_or_else(|error| {
            cause = format!(": {error:#}");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "")
        }),
    };
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        (serving.failed)(&format!("{what} {} {:?}{cause}", status.as_u16(), started.elapsed()));
    }
    Ok(response)
}

impl Serving {
    /// Lets an instance of the route's component answer.
    async fn handle(&self, request: Request<Incoming>) -> wasmtime::Result<Response<WasiBody>> {
        let component = self.app.component(request.uri().path());
        let handler = self.handlers.iter().find(|(other, _)| Arc::ptr_eq(other, component));
        let (_, handler) = handler.context("no handler has this component")?;
        let taken = Taken::default();
        let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
        let response = handler.handle(Arc::clone(&taken), request).await?;
        let kind = response.headers().get(CONTENT_TYPE);
        let is_stream = kind.is_some_and(|kind| kind == "text/event-stream" || kind == "application/x-ndjson");
        if let (true, Some(stacks)) = (is_stream, taken.get()) {
            stacks.stream()?;
        }
        Ok(response)
    }
}

/// Adds the scheme and the authority to the request, which components see.
fn with_authority(mut request: Request<Incoming>) -> Option<Request<Incoming>> {
    let host: Authority = request.headers().get(HOST)?.to_str().ok()?.parse().ok()?;
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(host);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    Some(request)
}
