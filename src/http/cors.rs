//! The page that a request comes from, if a browser sent it: may it call (no page of another site posts in a visitor's name), and may
//! it read the answer (CORS, WHATWG Fetch section 3.3)?

use crate::domain::error::Result;
use crate::http::origin::{Origins, is_own};
use crate::http::response::{self, Response};
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

const ORIGIN: HeaderName = HeaderName::from_static("origin");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const VARY: HeaderName = HeaderName::from_static("vary");
const REQUEST_METHOD: HeaderName = HeaderName::from_static("access-control-request-method");
const ALLOW_ORIGIN: HeaderName = HeaderName::from_static("access-control-allow-origin");

/// What a script may read of an answer, beside what it always may.
const EXPOSED: (HeaderName, &str) = (
    HeaderName::from_static("access-control-expose-headers"),
    "Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate",
);

/// What the answer to a preflight has beside the methods of its route.
const PREFLIGHT: [(HeaderName, &str); 2] = [
    (
        HeaderName::from_static("access-control-allow-headers"),
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
    ),
    // The most that browsers keep.
    (HeaderName::from_static("access-control-max-age"), "7200"),
];

/// The page that a request comes from.
pub(super) struct Page {
    /// Its origin, if the deployment lists it.
    listed: Option<HeaderValue>,
    /// Whether answers differ by origin.
    varies: bool,
    /// Whether it is of another origin, and not listed.
    foreign: bool,
}

impl Page {
    /// The page that sent a request. Clients that are no browsers send neither of the headers, and are of no page. `origins` is the
    /// value of `cors_origins`.
    pub(super) fn of<T>(request: &Request<T>, origins: &str) -> Result<Self> {
        let (origins, headers) = (Origins::parse(origins)?, request.headers());
        let authority = request.uri().authority().map_or("", |authority| authority.as_str());
        let mut pages = headers.get_all(ORIGIN).iter();
        // A browser sends one. Two are of no origin that is listed.
        let origin = match (pages.next(), pages.next()) {
            (Some(origin), None) => Some(origin),
            (None, _) => None,
            (Some(_), Some(_)) => Some(&const { HeaderValue::from_static("null") }),
        };
        let text = |value: &HeaderValue| value.to_str().unwrap_or("null").to_owned();
        let listed = origin.filter(|origin| origins.has(&text(origin))).cloned();
        let sites: Vec<_> = headers
            .get_all(SEC_FETCH_SITE)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        let own = if sites.is_empty() {
            origin.is_none_or(|origin| is_own(&text(origin), authority))
        } else {
            sites.iter().all(|site| matches!(*site, b"same-origin" | b"none"))
        };
        Ok(Self {
            foreign: !own && listed.is_none(),
            listed,
            varies: !origins.is_empty(),
        })
    }

    /// Whether the request must not do anything: it may change something, and a page sent it that is neither own nor listed.
    pub(super) fn is_refused(&self, method: &Method) -> bool {
        self.foreign && !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// Lets the page read an answer, if it is listed.
    pub(super) fn mark(&self, answer: &mut HeaderMap) {
        if self.varies {
            answer.append(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = &self.listed {
            answer.insert(ALLOW_ORIGIN, origin.clone());
            answer.insert(EXPOSED.0, HeaderValue::from_static(EXPOSED.1));
        }
    }

    /// The answer to a preflight for a path that has the `allowed` methods. A page that is not listed learns nothing.
    pub(super) fn preflight(&self, allowed: &'static str) -> Response {
        let mut answer = response::no_content();
        if self.listed.is_some() {
            let headers = answer.headers_mut();
            let methods = HeaderName::from_static("access-control-allow-methods");
            headers.insert(methods, HeaderValue::from_static(allowed));
            headers.extend(PREFLIGHT.map(|(name, value)| (name, HeaderValue::from_static(value))));
        }
        answer
    }
}

/// Whether a browser asks by this request whether it may send another one.
pub(super) fn is_preflight<T>(request: &Request<T>) -> bool {
    let has = |name| request.headers().contains_key(name);
    request.method() == Method::OPTIONS && has(ORIGIN) && has(REQUEST_METHOD)
}
