//! The site that a request comes from, if a browser sent it: may it call (no other site posts in a visitor's name), and may it read the
//! answer (CORS, WHATWG Fetch section 3.3)?

use crate::config::origins::Origins;
use crate::http::headers::Headers;
use crate::http::origin::is_own;
use crate::http::request::Request;
use crate::http::response::{self, Response};

/// What a script may read of an answer, beside what it always may.
const EXPOSED: &str = "Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate";

/// What the answer to a preflight has beside the methods of its route.
const PREFLIGHT: [(&str, &str); 2] = [
    (
        "access-control-allow-headers",
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
    ),
    // The most that browsers keep.
    ("access-control-max-age", "7200"),
];

/// The site that a request comes from: a page of some origin.
pub(super) struct Site {
    /// Its origin, if the deployment lists it.
    listed: Option<String>,
    /// Whether answers differ by origin.
    varies: bool,
    /// Whether it is of another origin, and not listed.
    foreign: bool,
}

impl Site {
    /// The site that sent a request. Clients that are no browsers send neither of the headers, and are of no site.
    pub(super) fn new(request: &Request, origins: &Origins) -> Self {
        let headers = &request.headers;
        let mut pages = headers.all("origin");
        // A browser sends one. Two are of no origin that is listed.
        let origin = match (pages.next(), pages.next()) {
            (Some(origin), None) => Some(str::from_utf8(origin).unwrap_or("null")),
            (None, _) => None,
            (Some(_), Some(_)) => Some("null"),
        };
        let listed = origin.filter(|origin| origins.has(origin)).map(str::to_owned);
        let mut sites = headers.all("sec-fetch-site").peekable();
        let own = if sites.peek().is_some() {
            sites.all(|site| matches!(site, b"same-origin" | b"none"))
        } else {
            origin.is_none_or(|origin| is_own(origin, &request.authority()))
        };
        Self {
            foreign: !own && listed.is_none(),
            listed,
            varies: !origins.is_empty(),
        }
    }

    /// Whether the request must not do anything: it may change something, and a site sent it that is neither own nor listed.
    pub(super) fn is_refused(&self, method: &str) -> bool {
        self.foreign && !matches!(method, "GET" | "HEAD" | "OPTIONS")
    }

    /// Lets the site read an answer, if it is listed.
    pub(super) fn mark(&self, answer: &mut Headers) {
        if self.varies {
            answer.set("vary", "Origin");
        }
        if let Some(origin) = &self.listed {
            answer.set("access-control-allow-origin", origin.as_str());
            answer.set("access-control-expose-headers", EXPOSED);
        }
    }

    /// The answer to a preflight for a path that has the `allowed` methods. A site that is not listed learns nothing.
    pub(super) fn preflight(&self, allowed: &'static str) -> Response {
        let mut answer = response::no_content();
        if self.listed.is_some() {
            answer.headers.set("access-control-allow-methods", allowed);
            for (name, value) in PREFLIGHT {
                answer.headers.set(name, value);
            }
        }
        answer
    }
}

/// Whether a browser asks by this request whether it may send another one.
pub(super) fn is_preflight(request: &Request) -> bool {
    let has = |name| request.headers.get(name).is_some();
    request.method == "OPTIONS" && has("origin") && has("access-control-request-method")
}
