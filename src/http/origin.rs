//! Whether a page is one of the host that was asked, by its origin (RFC 6454).

use crate::config::origins::default_port;

/// Whether a page of this origin is one of the host that was asked, by the authority of the request's address. The scheme does not
/// count: behind a proxy that ends TLS, the component sees another one.
pub(super) fn is_own(origin: &str, authority: &str) -> bool {
    let Some((scheme, place)) = origin.split_once("://") else {
        return false;
    };
    let place = default_port(scheme)
        .and_then(|port| place.strip_suffix(port))
        .unwrap_or(place);
    let asked = [":443", ":80"]
        .into_iter()
        .find_map(|port| authority.strip_suffix(port));
    place.eq_ignore_ascii_case(asked.unwrap_or(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_host_is_the_one_that_was_asked() {
        for (origin, authority) in [
            ("http://localhost:3000", "localhost:3000"),
            ("https://chat.example", "chat.example"),
            ("https://chat.example", "chat.example:443"),
            ("https://chat.example:443", "chat.example"),
            ("http://chat.example", "chat.example:80"),
            ("https://chat.example", "CHAT.example"),
            ("http://[::1]:3000", "[::1]:3000"),
        ] {
            assert!(is_own(origin, authority), "{origin} {authority}");
        }
        for (origin, authority) in [
            ("null", "null"),
            ("", ""),
            ("http://localhost:3001", "localhost:3000"),
            ("http://127.0.0.1:3000", "localhost:3000"),
            ("https://evil.example", "chat.example"),
            ("https://chat.example.evil", "chat.example"),
            ("https://chat.example:8443", "chat.example"),
            ("https://chat.example", ""),
        ] {
            assert!(!is_own(origin, authority), "{origin} {authority}");
        }
    }
}
