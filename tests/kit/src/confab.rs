//! confab on a host: the component, its variables and its server log.

use crate::component::{app, program};
use crate::{Endpoint, Port, until};
use confab_host::clock::Clock;
use confab_host::server::Server;
use reqwest::Client;
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// The most bytes of the server log that are kept.
const LOG_BYTES: usize = 16 << 20;

/// A running confab, ended when it is dropped.
pub struct Confab {
    server: Server,
    pub(crate) client: Client,
    log: MemoryOutputPipe,
    clock: Clock,
    _port: Port,
}

/// What a confab will run with.
#[derive(Clone, Debug)]
pub struct Builder {
    variables: HashMap<String, String>,
}

impl Builder {
    /// Sets a variable of `spin.toml`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers write a number or a text")]
    pub fn variable(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.insert(name.to_owned(), value.to_string());
        self
    }

    /// Starts a host on a port of its own. Call it again for another host on the same Redis.
    pub fn start(&self) -> Confab {
        let log = MemoryOutputPipe::new(LOG_BYTES);
        let port = Port::reserve();
        let app = app(self.variables.clone());
        let server = Server::start(program(), &app, port.listen(), Arc::new(log.clone()), |_| {}).unwrap();
        Confab {
            server,
            client: Client::new(),
            log,
            clock: app.clock.clone(),
            _port: port,
        }
    }
}

impl Confab {
    /// Prepares a confab on this Redis, or on the proxy in front of one. Its variables have the values of `spin.toml`.
    pub fn on(redis: &(impl Endpoint + ?Sized)) -> Builder {
        let variables = HashMap::from([("redis_host".to_owned(), redis.host())]);
        Builder { variables }
    }

    /// Starts a confab on this Redis, all variables as in `spin.toml`.
    pub fn start(redis: &(impl Endpoint + ?Sized)) -> Self {
        Self::on(redis).start()
    }

    /// The address, as `host:port`.
    pub fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// Sets the clock of its host so many seconds ahead of the machine's, or behind it if the number is negative.
    pub fn set_clock(&self, seconds: i64) {
        self.clock.set(seconds);
    }

    /// How many instances of the component it has made so far.
    pub fn instances(&self) -> usize {
        self.server.instances()
    }

    /// The server log so far.
    pub fn log(&self) -> String {
        String::from_utf8(self.log.contents().to_vec()).unwrap()
    }

    /// Waits until the server log contains this text.
    pub async fn logged(&self, text: &str) {
        until(&format!("the server log contains {text:?}"), async || {
            self.log().contains(text)
        })
        .await;
    }
}
