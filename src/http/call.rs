//! A request on its way to its handler.

use crate::domain::caller::Caller;
use crate::domain::server_log;
use crate::http::request::Request;
use std::time::Instant;

/// A request whose route is known, from a caller who is known if its route asks for one.
pub(super) struct Call {
    /// The request.
    pub(super) request: Request,
    /// The request, as the server log names it.
    pub(super) log: server_log::Request,
    /// When the component received it.
    pub(super) began: Instant,
    /// Who calls; `None` if the deployment is open, or the route asks nobody.
    pub(super) caller: Option<Caller>,
}
