//! A compiled component, and what the host gives each of its instances.

use crate::manifest;
use std::path::Path;
use std::sync::Arc;
use wasmtime::component::{Component, HasData, Instance, InstancePre, Linker, ResourceTable};
use wasmtime::error::Context as _;
use wasmtime::{Config, Engine, Result, Store, ensure};
use wasmtime_wasi::cli::{StdoutStream, WasiCli, WasiCliView};
use wasmtime_wasi::p2::bindings::cli::{
    environment, exit, terminal_input, terminal_output, terminal_stderr, terminal_stdin, terminal_stdout,
};
use wasmtime_wasi::p2::bindings::random::insecure_seed;
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

#[allow(clippy::allow_attributes, clippy::pedantic, reason = "generated code")]
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        imports: { default: trappable },
        with: { "spin:redis/redis.connection": ::redis::aio::MultiplexedConnection },
    });
}

/// The destination of the logs of instances (their standard error).
pub type Log = Arc<dyn StdoutStream + Sync>;

/// A component, compiled and linked: ready to be instantiated any number of times.
#[derive(Clone)]
pub struct Program(InstancePre<Data>);

impl Program {
    /// Compiles the component in `file`. This takes about a second.
    ///
    /// Fails if the file is missing, is not a component, or imports what this host does not offer.
    pub fn compile(file: &Path) -> Result<Self> {
        ensure!(
            file.exists(),
            "the component is not built: there is no {}; `make build` builds it",
            file.display()
        );
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config)?;
        let component = Component::from_file(&engine, file).context("the component cannot be compiled")?;
        let mut linker = Linker::new(&engine);
        add_wasi(&mut linker)?;
        bindings::Host_::add_to_linker::<_, Spin>(&mut linker, |data| data)?;
        let ready = linker
            .instantiate_pre(&component)
            .context("the component needs what this host does not offer")?;
        Ok(Self(ready))
    }

    /// The component as an HTTP service. Fails if it is none.
    pub(crate) fn service(&self) -> Result<ProxyPre<Data>> {
        let service = ServicePre::new(self.0.clone()).context("the component does not export wasi:http/handler")?;
        Ok(ProxyPre::P3(service))
    }

    /// A store for a new instance of a component, which writes its log to `log`.
    pub(crate) fn store(&self, component: &Arc<manifest::Component>, log: Log) -> Store<Data> {
        let clock = component.clock.clone();
        let data = Data {
            component: Arc::clone(component),
            wasi: WasiCtx::builder().stderr(log).wall_clock(clock).build(),
            http: WasiHttpCtx::new(),
            hooks: NoOutboundHttp,
            table: ResourceTable::new(),
        };
        Store::new(self.0.engine(), data)
    }

    /// A new instance of a component, for calls to its exports other than HTTP.
    pub async fn instantiate(&self, component: &Arc<manifest::Component>, log: Log) -> Result<(Store<Data>, Instance)> {
        let mut store = self.store(component, log);
        let instance = self.0.instantiate_async(&mut store).await?;
        Ok((store, instance))
    }
}

/// Adds what confab imports of WASI. Files and sockets are left out: this crate would take twice as long to compile.
fn add_wasi(linker: &mut Linker<Data>) -> Result<()> {
    // Rust's standard library imports WASI 0.2, confab and Spin's SDK import WASI 0.3.
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    insecure_seed::add_to_linker::<_, WasiRandom>(linker, Data::random)?;
    environment::add_to_linker::<_, WasiCli>(linker, Data::cli)?;
    exit::add_to_linker::<_, WasiCli>(linker, Data::cli)?;
    terminal_input::add_to_linker::<_, WasiCli>(linker, Data::cli)?;
    terminal_output::add_to_linker::<_, WasiCli>(linker, Data::cli)?;
    terminal_stdin::add_to_linker::<_, WasiCli>(linker, Data::cli)?;
    terminal_stdout::add_to_linker::<_, WasiCli>(linker, Data::cli)?;
    terminal_stderr::add_to_linker::<_, WasiCli>(linker, Data::cli)?;
    wasmtime_wasi::p3::cli::add_to_linker(linker)?;
    wasmtime_wasi::p3::clocks::add_to_linker(linker)?;
    wasmtime_wasi::p3::random::add_to_linker(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)
}

/// The type that implements Spin's interfaces.
pub(crate) struct Spin;

impl HasData for Spin {
    type Data<'a> = &'a mut Data;
}

/// The state of the host for one instance.
pub struct Data {
    pub(crate) component: Arc<manifest::Component>,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoOutboundHttp,
}

impl WasiView for Data {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Data {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

type Sending<T> = Box<dyn Future<Output = Result<T, Error>> + Send>;

/// Refuses every outgoing HTTP request: the manifest allows none.
struct NoOutboundHttp;

impl WasiHttpHooks for NoOutboundHttp {
    fn send_request(
        &mut self,
        _: hyper::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Sending<()>,
    ) -> Sending<(hyper::Response<WasiBody>, Sending<()>)> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
