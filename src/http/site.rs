//! The site that a request comes from, if a browser sent it: may it call (no other site posts in a visitor's name), and may it read the
//! answer (CORS, WHATWG Fetch section 3.3)?

use crate::config::origins::Origins;
use crate::http::headers::Headers;
use crate::http::origin::is_own;
use crate::http::request::Request;
use crate::http::response::{self, Response};

/// What a script may read of an answer, beside what it always may.
const EXPOSED: &str = "Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate";

/// The headers of a request that confab reads. A preflight allows them together, and a browser asks once.
const OWN_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID";

/// For how many seconds a browser need not ask again: the most that browsers keep.
const MAX_AGE: &str = "7200";

/// The site that a request comes from: a page of some origin.
pub(super) struct Site {
    /// Its origin, if the deployment lists it.
    listed: Option<String>,
    /// Whether answers differ by origin.
    varies: bool,
    /// Whether it is of another origin, and not listed.
    foreign: bool,
    /// Whether the request opens a page that its visitor sees, as a link does.
    opens: bool,
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
            opens: opens(headers),
            listed,
            varies: !origins.is_empty(),
        }
    }

    /// Whether the request must not do anything: a site sent it that is neither own nor listed. Such a site cannot read an answer, but
    /// how long a `GET` takes tells how much a chat has, and when a message comes.
    pub(super) fn is_refused(&self, method: &str) -> bool {
        self.foreign
            && match method {
                "GET" | "HEAD" => !self.opens,
                "OPTIONS" => false,
                _ => true,
            }
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
    ///
    /// A listed site may send whatever header it asks for: with no cookies, none gives it more than another.
    pub(super) fn preflight(&self, request: &Request, allowed: &'static str) -> Response {
        let mut answer = response::no_content();
        if self.listed.is_some() {
            let headers = allowed_headers(&request.headers);
            answer.headers.set("access-control-allow-methods", allowed);
            answer.headers.set("access-control-allow-headers", headers);
            answer.headers.set("access-control-max-age", MAX_AGE);
        }
        answer
    }
}

/// Whether a browser says that the request opens a page. One in a frame is as unseen as a `fetch`.
fn opens(headers: &Headers) -> bool {
    let only = |name, value: &[u8]| headers.all(name).all(|other| other == value);
    headers.get("sec-fetch-mode").is_some()
        && only("sec-fetch-mode", b"navigate")
        && only("sec-fetch-dest", b"document")
}

/// [`OWN_HEADERS`], and those that a preflight names. If one of these is no header's name, none of them is allowed.
fn allowed_headers(request: &Headers) -> String {
    let named = request.all("access-control-request-headers").map(str::from_utf8);
    let named: Vec<_> = named.map(Result::unwrap_or_default).collect();
    let named = named.iter().flat_map(|names| names.split(',')).map(str::trim);
    let named: Vec<_> = named.filter(|name| !is_own_header(name)).collect();
    if named.iter().all(|name| is_token(name)) {
        [&[OWN_HEADERS], &named[..]].concat().join(", ")
    } else {
        OWN_HEADERS.to_owned()
    }
}

fn is_own_header(name: &str) -> bool {
    OWN_HEADERS.split(", ").any(|own| own.eq_ignore_ascii_case(name))
}

/// Whether a header may have this name (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(in_token)
}

/// Whether a browser asks by this request whether it may send another one.
pub(super) fn is_preflight(request: &Request) -> bool {
    let has = |name| request.headers.get(name).is_some();
    request.method == "OPTIONS" && has("origin") && has("access-control-request-method")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};

    fn headers(list: &[(&str, &[u8])]) -> Headers {
        let list = list.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec()));
        list.collect::<Vec<_>>().into()
    }

    #[test]
    fn a_preflight_allows_what_it_names_unless_that_is_no_name() {
        let named = |values: &[&[u8]]| {
            let values = values.iter().map(|value| ("Access-Control-Request-Headers", *value));
            let allowed = allowed_headers(&headers(&values.collect::<Vec<_>>()));
            allowed.strip_prefix(OWN_HEADERS).unwrap().to_owned()
        };
        for (values, more) in [
            (&[][..], ""),
            (&[&b"authorization,content-type"[..]], ""),
            (&[b"traceparent, baggage"], ", traceparent, baggage"),
            (&[b"AUTHORIZATION,x-requested-with"], ", x-requested-with"),
            (&[b"sentry-trace", b"cache-control"], ", sentry-trace, cache-control"),
            (&[b"x!#$%&'*+-.^_`|~9"], ", x!#$%&'*+-.^_`|~9"),
            (&[b""], ""),
            (&[b"a,"], ""),
            (&[b"a b"], ""),
            (&[b"a,b:c"], ""),
            (&[b"a\r\nset-cookie: x"], ""),
            (&["ä".as_bytes()], ""),
            (&[b"a", b"\xff"], ""),
        ] {
            assert_eq!(named(values), more, "{values:?}");
        }
    }

    #[test]
    fn a_page_is_opened_by_a_navigation_that_its_visitor_sees() {
        for (list, expected) in [
            (&[("Sec-Fetch-Mode", &b"navigate"[..])][..], true),
            (
                &[("sec-fetch-mode", b"navigate"), ("sec-fetch-dest", b"document")],
                true,
            ),
            (&[("sec-fetch-mode", b"navigate"), ("sec-fetch-dest", b"iframe")], false),
            (&[("sec-fetch-mode", b"navigate"), ("sec-fetch-dest", b"object")], false),
            (&[("sec-fetch-mode", b"navigate"), ("sec-fetch-mode", b"cors")], false),
            (&[("sec-fetch-mode", b"no-cors"), ("sec-fetch-dest", b"image")], false),
            (&[("sec-fetch-dest", b"document")], false),
            (&[], false),
        ] {
            assert_eq!(opens(&headers(list)), expected, "{list:?}");
        }
    }

    #[test]
    fn fuzz_preflights() {
        fuzz("preflights", &near(&["traceparent, x-a"]), |value| {
            let allowed = allowed_headers(&headers(&[("access-control-request-headers", &value)]));
            assert!(allowed.split(", ").all(is_token), "{allowed:?}");
        });
    }
}
