//! A request on its way to its handler.

use crate::domain::caller::Caller;
use crate::domain::server_log;
use spin_sdk::http::{HeaderMap, Method, Uri};
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use std::time::Instant;

/// A request whose route is known, from a caller who is known if its route asks for one.
pub(super) struct Call {
    /// The method.
    pub(super) method: Method,
    /// The address, with its query string.
    pub(super) uri: Uri,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The request, as the server log names it.
    pub(super) log: server_log::Request,
    /// When the component received it.
    pub(super) began: Instant,
    /// The body, not read yet.
    pub(super) body: IncomingRequestBody,
    /// Who calls; `None` if the deployment is open, or the route asks nobody.
    pub(super) caller: Option<Caller>,
}

impl Call {
    /// The query string, empty if there is none.
    pub(super) fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// Whether the client asks for the headers alone.
    pub(super) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }
}
