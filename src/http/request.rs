//! A request as the host passes it on. Its parts are WASI's own: a copy as `http::Request` costs a tenth of a send.

use crate::http::headers::Headers;
use spin_sdk::wasip3::http::types::{self, ErrorCode, Method, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader};
use spin_sdk::wasip3::wit_future;
use std::borrow::Cow;

/// A request, its body not read yet.
pub struct Request {
    /// The method, in capital letters.
    pub(super) method: Cow<'static, str>,
    /// The headers.
    pub(super) headers: Headers,
    target: String,
    resource: types::Request,
}

impl Request {
    /// The path.
    pub(super) fn path(&self) -> &str {
        split(&self.target).0
    }

    /// The query string, empty if there is none.
    pub(super) fn query(&self) -> &str {
        split(&self.target).1
    }

    /// Whether the client asks for the headers alone.
    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// The host and the port that the client asked, empty if it named none.
    pub(super) fn authority(&self) -> String {
        self.resource.get_authority().unwrap_or_default()
    }

    /// How many bytes the body has; `None` if the client did not say. The host passes on no more, and no other number
    /// (RFC 9112, section 6.3).
    pub(super) fn length(&self) -> Option<usize> {
        let length = self
            .headers
            .get("content-length")
            .and_then(|value| str::from_utf8(value).ok());
        length.map(|length| length.parse().unwrap_or(usize::MAX))
    }

    /// The body, and how it ends.
    pub(super) fn into_body(self) -> (StreamReader<u8>, FutureReader<Result<Option<Trailers>, ErrorCode>>) {
        let (_, no_failure) = wit_future::new(|| Ok(()));
        types::Request::consume_body(self.resource, no_failure)
    }
}

impl From<types::Request> for Request {
    fn from(resource: types::Request) -> Self {
        Self {
            method: name(resource.get_method()),
            headers: resource.get_headers().copy_all().into(),
            target: resource.get_path_with_query().unwrap_or_default(),
            resource,
        }
    }
}

fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

fn name(method: Method) -> Cow<'static, str> {
    Cow::Borrowed(match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(method) => return method.into(),
    })
}
