//! Files that are part of the component. Each has an `ETag`, so that a browser loads it once per version.

use crate::http::headers::Headers;
use crate::http::response::{self, Response};

/// What the chat page may load: its own files and confab's answers, nothing else. No page may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// A file of the component.
pub(super) struct Asset {
    content_type: &'static str,
    text: &'static str,
    hash: u64,
}

impl Asset {
    /// A file with this content type and text.
    pub(super) const fn new(content_type: &'static str, text: &'static str) -> Self {
        Self {
            content_type,
            text,
            hash: hash(text.as_bytes()),
        }
    }

    /// What is in it.
    #[cfg(test)]
    pub(super) fn text(&self) -> &'static str {
        self.text
    }

    /// The answer to a request with these headers: 304 if the client has this version.
    pub(super) fn answer(&self, request: &Headers) -> Response {
        let tag = format!("\"{:016x}\"", self.hash);
        let mut response = if names(request, &tag) {
            Response::empty(304, Headers::default())
        } else {
            response::whole(200, self.content_type, self.text.as_bytes())
        };
        let headers = &mut response.headers;
        // A browser asks each time whether there is another version.
        headers.set("cache-control", "no-cache");
        headers.set("etag", tag);
        headers.set("content-security-policy", POLICY);
        // A page that opened this one has no hold of its window.
        headers.set("cross-origin-opener-policy", "same-origin");
        headers.set("x-content-type-options", "nosniff");
        headers.set("referrer-policy", "no-referrer");
        response
    }
}

/// Whether `If-None-Match` names this tag, weak or not (RFC 9110, section 13.1.2).
fn names(request: &Headers, tag: &str) -> bool {
    let values = request
        .all("if-none-match")
        .filter_map(|value| str::from_utf8(value).ok());
    let mut tags = values.flat_map(|value| value.split(','));
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
        let asked = |value: &str| Headers::from(vec![("If-None-Match".to_owned(), value.into())]);
        let first = ONE.answer(&Headers::default());
        assert_eq!(
            (first.status, first.headers.get("content-length")),
            (200, Some(&b"1"[..]))
        );
        let tag = str::from_utf8(first.headers.get("etag").unwrap()).unwrap();
        for value in [
            tag.to_owned(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ] {
            let again = ONE.answer(&asked(&value));
            assert_eq!(again.status, 304, "{value}");
            assert_eq!(again.headers.get("etag"), Some(tag.as_bytes()));
            assert_eq!(again.headers.get("content-length"), None);
        }
        assert_eq!(TWO.answer(&asked(tag)).status, 200);
        assert_eq!(ONE.answer(&asked("\"x\"")).status, 200);
    }
}
