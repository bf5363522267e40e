//! Where a Redis is, and how to log in to it.

use crate::config::host;

/// A Redis. It has no `Debug`: its credentials must never be printed.
#[derive(Clone, PartialEq)]
pub struct Endpoint {
    scheme: Scheme,
    credentials: Credentials,
    address: Address,
}

impl Endpoint {
    /// The Redis at this address.
    pub fn new(scheme: Scheme, credentials: Credentials, address: Address) -> Self {
        Self {
            scheme,
            credentials,
            address,
        }
    }

    /// Its `host:port`.
    pub fn address(&self) -> &str {
        &self.address.0
    }

    /// Its URL: never to be printed.
    pub fn url(&self) -> String {
        self.url_of(self.address())
    }

    /// The URL of another node of its Cluster, at this `host:port`: never to be printed.
    pub fn url_of(&self, address: &str) -> String {
        let (scheme, Credentials(credentials)) = (self.scheme.name(), &self.credentials);
        format!("{scheme}://{credentials}@{address}")
    }
}

/// Whether it speaks TLS.
#[derive(Clone, Copy, PartialEq)]
pub enum Scheme {
    /// It does not.
    Redis,
    /// It does.
    Rediss,
}

impl Scheme {
    /// Parses the scheme of a URL.
    pub(super) fn parse(scheme: &str) -> Result<Self, &'static str> {
        match scheme {
            "redis" => Ok(Self::Redis),
            "rediss" => Ok(Self::Rediss),
            _ => Err("must be redis or rediss"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Rediss => "rediss",
        }
    }
}

/// A user and a password, as they stand in a URL.
#[derive(Clone, PartialEq)]
pub struct Credentials(String);

impl Credentials {
    /// Parses `user:password` or `:password`, percent-encoded, or nothing.
    pub(super) fn parse(credentials: &str) -> Result<Self, &'static str> {
        // These end the credentials of a URL.
        let ends = |character: char| "/?#".contains(character) || character.is_control();
        if credentials.contains(ends) {
            return Err("must be user:password or :password, percent-encoded");
        }
        Ok(Self(credentials.to_owned()))
    }
}

/// A host and a port.
#[derive(Clone, PartialEq)]
pub struct Address(String);

impl Address {
    /// Parses `host:port`.
    pub(super) fn parse(address: &str) -> Result<Self, &'static str> {
        let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
        if host::is_host(host) && host::is_port(port) {
            Ok(Self(address.to_owned()))
        } else {
            Err("must be a host and a port, as in 10.0.0.5:6379 or [::1]:6379, and nothing else")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for address in [
            "127.0.0.1:6379",
            "redis:1",
            "Redis.default.svc.cluster.local:65535",
            "cache.example.:6379",
            "my_redis-1:6379",
            "[::1]:6379",
            "[2001:db8::1]:6379",
            "1e100.example:6379",
        ] {
            assert!(
                Address::parse(address).is_ok_and(|parsed| parsed.0 == address),
                "{address}"
            );
        }
        for address in [
            "",
            ":",
            "redis",
            "redis:",
            ":6379",
            "127.0.0.1",
            "::1",
            "[::1]",
            "::1:6379",
            "[::1:6379",
            "[redis]:6379",
            "redis:0",
            "redis:65536",
            "redis:+1",
            "redis:x",
            "redis:6379/0",
            "redis:6379?x",
            "redis://redis:6379",
            "user:pw@redis:6379",
            ":pw@redis:6379",
            "redis:6379,redis:6380",
            "redis 6379",
            "re dis:6379",
            "a..b:6379",
            ".a:6379",
            "10.0.0:6379",
            "10.0.0.256:6379",
            "*:6379",
            "{{ x }}:6379",
            "é:6379",
        ] {
            assert!(Address::parse(address).is_err(), "{address}");
        }
    }

    #[test]
    fn credentials_do_not_end_before_their_end() {
        for good in ["", "user:pw", ":pw", "user:", ":p%40%2f", ":p@ss"] {
            assert!(Credentials::parse(good).is_ok(), "{good}");
        }
        for bad in [":a/b", ":a?b", ":a#b", "user:\npw", ":a\0"] {
            assert!(Credentials::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_url_has_the_scheme_and_the_credentials_of_all_nodes() {
        let endpoint = |scheme, credentials| {
            let (scheme, credentials) = (Scheme::parse(scheme).unwrap(), Credentials::parse(credentials).unwrap());
            Endpoint::new(scheme, credentials, Address::parse("redis:1").ok().unwrap())
        };
        assert_eq!(endpoint("redis", "").url(), "redis://@redis:1");
        assert_eq!(
            endpoint("rediss", "u:p").url_of("10.0.0.1:2"),
            "rediss://u:p@10.0.0.1:2"
        );
        for scheme in ["", "http", "Redis", "redis:", "redis+unix", "valkey"] {
            assert!(Scheme::parse(scheme).is_err(), "{scheme}");
        }
    }
}
