//! confab-host, in this process.

use crate::Port;
use crate::component::{app, program};
use confab_host::clock::Clock;
use confab_host::instances::Limits;
use confab_host::program::Log;
use confab_host::server::Server;
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// The most bytes of the server log that are kept.
const LOG_BYTES: usize = 16 << 20;

/// A server in this process.
pub(crate) struct Here {
    pub(crate) server: Server,
    pub(crate) clock: Clock,
    log: MemoryOutputPipe,
    _port: Port,
}

impl Here {
    pub(super) fn start(variables: HashMap<String, String>, limits: Limits) -> Self {
        let log = MemoryOutputPipe::new(LOG_BYTES);
        let port = Port::reserve();
        let app = app(variables);
        let to: Log = Arc::new(log.clone());
        let server = Server::start(program(), &app, limits, port.listen(), &to, |_| {}).unwrap();
        Self {
            server,
            clock: app.clock.clone(),
            log,
            _port: port,
        }
    }

    pub(super) fn log(&self) -> String {
        String::from_utf8(self.log.contents().to_vec()).unwrap()
    }
}
