//! The origins (RFC 6454) whose pages may call: the value of `cors_origins`.

/// The origins whose pages may call, beside the deployment's own.
#[derive(Debug, PartialEq)]
pub enum Origins {
    /// All but `null`, that of a page without one.
    All,
    /// These.
    Listed(Vec<String>),
}

impl Origins {
    /// Parses the value of `cors_origins`. Fails if one is not as browsers write it.
    pub(super) fn parse(value: &str) -> Result<Self, &'static str> {
        if value == "*" {
            return Ok(Self::All);
        }
        let origins: Vec<_> = value.split(' ').filter(|origin| !origin.is_empty()).collect();
        if origins.iter().all(|origin| is_origin(origin)) {
            return Ok(Self::Listed(origins.into_iter().map(str::to_owned).collect()));
        }
        Err(
            "must be *, or origins as browsers write them: https://app.example, in small letters, without a path and without the \
             default port",
        )
    }

    /// Whether no page of another origin may call.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Listed(origins) if origins.is_empty())
    }

    /// Whether pages of this origin may call.
    pub fn has(&self, origin: &str) -> bool {
        match self {
            Self::All => origin != "null",
            Self::Listed(origins) => origins.iter().any(|listed| listed == origin),
        }
    }
}

/// Whether a browser writes an origin in this way: a scheme, a host and a port that is not the scheme's own, in small letters.
fn is_origin(text: &str) -> bool {
    let Some((scheme, place)) = text.split_once("://") else {
        return false;
    };
    let (host, port) = match place.rsplit_once(':') {
        // The colons of an IPv6 address are in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse::<u16>().is_ok()),
        _ => (place, true),
    };
    let is_small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let in_scheme = |byte| is_small(byte) || b"+-.".contains(&byte);
    let in_host = |byte| is_small(byte) || b"-._[:]".contains(&byte);
    let default = default_port(scheme).is_some_and(|port| place.ends_with(port));
    !scheme.is_empty()
        && scheme.bytes().all(in_scheme)
        && !host.is_empty()
        && host.bytes().all(in_host)
        && port
        && !default
}

/// The port of a scheme that browsers leave out.
pub fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "http" => Some(":80"),
        "https" => Some(":443"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_exact() {
        let listed = Origins::parse(" https://a.example  http://localhost:5173 app://localhost ").unwrap();
        for origin in ["https://a.example", "http://localhost:5173", "app://localhost"] {
            assert!(listed.has(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://a.example",
            "https://a.example:444",
            "https://a.example.evil",
            "https://x.a.example",
            "https://A.example",
        ] {
            assert!(!listed.has(origin), "{origin}");
            assert_eq!(Origins::All, Origins::parse("*").unwrap());
            assert_eq!(Origins::All.has(origin), origin != "null", "{origin}");
        }
        assert!(Origins::parse("").unwrap().is_empty() && !listed.is_empty() && !Origins::All.is_empty());
    }

    #[test]
    fn what_no_browser_writes_is_refused() {
        for value in [
            "null",
            "a.example",
            "https://a.example/",
            "https://a.example/x",
            "https://A.example",
            "https://a.example:443",
            "http://a.example:80",
            "https://u@a.example",
            "https://*.example",
            "https://a.example *",
            "https://a.example,https://b.example",
            "https://",
        ] {
            let error = Origins::parse(value).unwrap_err();
            assert!(error.contains("as browsers write them"), "{value}: {error}");
        }
    }
}
