//! Files that are part of the component. Each has an `ETag`, so that a browser loads it once per version.

use crate::http::response::{self, Response};
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

const CACHE_CONTROL: HeaderName = HeaderName::from_static("cache-control");
const CONTENT_SECURITY_POLICY: HeaderName = HeaderName::from_static("content-security-policy");
const CONTENT_TYPE_OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");
const ETAG: HeaderName = HeaderName::from_static("etag");
const IF_NONE_MATCH: HeaderName = HeaderName::from_static("if-none-match");
const REFERRER_POLICY: HeaderName = HeaderName::from_static("referrer-policy");

/// What the chat page may load: its own files and confab's answers, nothing else. No page may frame it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
);

/// A file of the component.
pub(super) struct Asset {
    content_type: HeaderValue,
    text: &'static str,
    hash: u64,
}

impl Asset {
    /// A file with this content type and text.
    pub(super) const fn new(content_type: &'static str, text: &'static str) -> Self {
        Self {
            content_type: HeaderValue::from_static(content_type),
            text,
            hash: hash(text.as_bytes()),
        }
    }

    /// The answer to a request with these headers: 304 if the client has this version.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        let tag = format!("\"{:016x}\"", self.hash);
        let mut response = if names(request, &tag) {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            response::whole(StatusCode::OK, self.content_type.clone(), self.text)
        };
        let headers = response.headers_mut();
        // A browser asks each time whether there is another version.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.extend(HeaderValue::try_from(tag).map(|tag| (ETAG, tag)));
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }
}

/// Whether `If-None-Match` names this tag, weak or not (RFC 9110, section 13.1.2).
fn names(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(IF_NONE_MATCH).iter();
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    tags.any(|other| {
        let other = other.trim();
        other == "*" || other.strip_prefix("W/").unwrap_or(other) == tag
    })
}

/// 64-bit FNV-1a, at compile time.
const fn hash(mut bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    while let [first, rest @ ..] = bytes {
        hash = (hash ^ u64::from_le_bytes([*first, 0, 0, 0, 0, 0, 0, 0])).wrapping_mul(0x0100_0000_01b3);
        bytes = rest;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_sent_again_only_if_it_changed() {
        const ONE: Asset = Asset::new("text/css", "a");
        const TWO: Asset = Asset::new("text/css", "b");
        // The first two test vectors of FNV-1a.
        assert_eq!((hash(b""), ONE.hash), (0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c));
        let asked = |value: &str| HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(value).unwrap())]);
        let first = ONE.answer(&HeaderMap::new());
        assert_eq!(
            (first.status(), &first.headers()["content-length"]),
            (StatusCode::OK, &HeaderValue::from(1))
        );
        let tag = first.headers()["etag"].to_str().unwrap();
        for value in [
            tag.to_owned(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ] {
            let again = ONE.answer(&asked(&value));
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{value}");
            assert_eq!(again.headers()["etag"], tag);
            assert!(!again.headers().contains_key("content-length"));
        }
        assert_eq!(TWO.answer(&asked(tag)).status(), StatusCode::OK);
        assert_eq!(ONE.answer(&asked("\"x\"")).status(), StatusCode::OK);
    }
}
