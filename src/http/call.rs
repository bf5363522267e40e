//! A request on its way to its handler.

use crate::domain::caller::Caller;
use crate::http::request::Request;
use crate::server_log;
use std::time::Instant;

/// A request whose route and caller are known.
pub(super) struct Call {
    /// The request.
    pub(super) request: Request,
    /// The request, as the server log names it.
    pub(super) log: server_log::Request,
    /// When the component received it.
    pub(super) began: Instant,
    /// Who calls: anybody, if the deployment is open, or if the route asks nobody.
    pub(super) caller: Caller,
}
