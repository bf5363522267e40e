//! The entries of `allowed_outbound_hosts`: which addresses a component may connect to.

use anyhow::{Context as _, Result, bail, ensure};
use std::net::IpAddr;
use std::ops::Range;
use url::{Host, Url};

/// An entry, like `redis://127.0.0.1:6379`, `redis://10.0.0.0/8:6379`, `rediss://*.cache.example:7000..7010` or `*://*:*`.
#[derive(Clone, Debug)]
pub struct AllowedHost {
    scheme: Option<String>,
    host: HostPattern,
    ports: Option<Range<u32>>,
}

#[derive(Clone, Debug)]
enum HostPattern {
    Any,
    /// What a name must end with.
    Subdomains(String),
    /// An address, and how many of its bits count.
    Network(IpAddr, u32),
    Literal(Host),
}

impl AllowedHost {
    /// Parses an entry whose templates are resolved; `None` if it is empty, which allows nothing. Fails as Spin does.
    pub fn parse(entry: &str) -> Result<Option<Self>> {
        let entry = entry.trim();
        if entry.is_empty() {
            return Ok(None);
        }
        let (scheme, rest) = entry
            .split_once("://")
            .with_context(|| format!("{entry:?} does not contain a scheme"))?;
        let (host, port) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let host = host_pattern(host).with_context(|| format!("invalid host {host:?} in {entry:?}"))?;
        let ports = match (port, scheme) {
            ("*", _) => None,
            ("", "redis") => Some(6379..6380),
            ("", _) => bail!("{entry:?} in allowed_outbound_hosts needs a port"),
            (port, _) => Some(port_range(port).with_context(|| format!("port {port:?} is not a number"))?),
        };
        let scheme = (scheme != "*").then(|| scheme.to_owned());
        Ok(Some(Self { scheme, host, ports }))
    }

    /// Whether the component may connect to `address`.
    pub fn allows(&self, address: &Url) -> bool {
        let port = address
            .port()
            .unwrap_or(if address.scheme() == "redis" { 6379 } else { 0 });
        // The host of a URL of Redis is not parsed as an address.
        let host = address.host_str().and_then(|host| Host::parse(host).ok());
        self.scheme.as_ref().is_none_or(|scheme| scheme == address.scheme())
            && self.ports.as_ref().is_none_or(|ports| ports.contains(&port.into()))
            && host.is_some_and(|host| self.host.allows(&host))
    }

    /// The one Redis that the entry names, without TLS, as `redis://host:port`.
    pub fn redis(&self) -> Option<Url> {
        let (Some("redis"), HostPattern::Literal(host), Some(ports)) =
            (self.scheme.as_deref(), &self.host, &self.ports)
        else {
            return None;
        };
        Url::parse(&format!("redis://{host}:{}", ports.start)).ok()
    }
}

impl HostPattern {
    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Literal(literal), host) => literal == host,
            (Self::Subdomains(suffix), Host::Domain(name)) => name.ends_with(suffix),
            (Self::Network(IpAddr::V4(network), bits), Host::Ipv4(ip)) => same(
                network.to_bits().into(),
                ip.to_bits().into(),
                32_u32.saturating_sub(*bits),
            ),
            (Self::Network(IpAddr::V6(network), bits), Host::Ipv6(ip)) => {
                same(network.to_bits(), ip.to_bits(), 128_u32.saturating_sub(*bits))
            }
            (Self::Subdomains(_) | Self::Network(..), _) => false,
        }
    }
}

/// Whether two numbers differ in nothing but their lowest bits.
fn same(one: u128, other: u128, lowest: u32) -> bool {
    (one ^ other).checked_shr(lowest).unwrap_or(0) == 0
}

fn host_pattern(host: &str) -> Result<HostPattern> {
    if host == "*" {
        return Ok(HostPattern::Any);
    }
    if let Some((network, bits)) = host.split_once('/')
        && !bits.is_empty()
    {
        let network: IpAddr = network.parse()?;
        let bits = bits.parse()?;
        ensure!(bits <= if network.is_ipv4() { 32 } else { 128 }, "too many bits");
        return Ok(HostPattern::Network(network, bits));
    }
    if let Some(domain) = host.strip_prefix("*.") {
        return Ok(HostPattern::Subdomains(format!(".{}", Host::parse(domain)?)));
    }
    ensure!(!host.contains('*'), "a wildcard is only allowed at its start");
    Ok(HostPattern::Literal(Host::parse(host)?))
}

fn port_range(port: &str) -> Result<Range<u32>> {
    let number = |port: &str| Ok::<_, anyhow::Error>(u32::from(port.parse::<u16>()?));
    match port.split_once("..") {
        Some((first, end)) => Ok(number(first)?..number(end)?),
        None => number(port).map(|port| port..port.saturating_add(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_allows_what_spin_says_it_does() {
        for (entry, allowed, refused) in [
            (
                "redis://r.example:1",
                &["redis://r.example:1", "redis://x:y@r.example:1/0"][..],
                &["redis://r.example:2", "redis://r:1", "rediss://r.example:1"][..],
            ),
            ("redis://r", &["redis://r:6379", "redis://r"], &["redis://r:1"]),
            ("redis://[::1]:1", &["redis://[::1]:1"], &["redis://[::2]:1"]),
            (
                "redis://10.0.0.0/8:6379",
                &["redis://10.255.0.1:6379"],
                &["redis://11.0.0.1:6379", "redis://10.0.0.1:1", "redis://name:6379"],
            ),
            ("redis://0.0.0.0/0:1", &["redis://1.2.3.4:1"], &["redis://[::1]:1"]),
            (
                "rediss://*.cache.example:7..9",
                &["rediss://a.cache.example:7", "rediss://a.b.cache.example:8"],
                &[
                    "rediss://cache.example:7",
                    "rediss://a.cache.example:9",
                    "rediss://xcache.example:7",
                ],
            ),
            ("redis://*:*", &["redis://any:1"], &["rediss://any:1"]),
            ("*://*:*", &["rediss://any:1", "redis://[::1]:2"], &[]),
        ] {
            let host = AllowedHost::parse(entry).unwrap().unwrap();
            let allows = |address: &str| host.allows(&Url::parse(address).unwrap());
            for address in allowed {
                assert!(allows(address), "{entry} {address}");
            }
            for address in refused {
                assert!(!allows(address), "{entry} {address}");
            }
        }
        assert!(AllowedHost::parse("").unwrap().is_none());
        for entry in [
            "r",
            "*",
            "rediss://r",
            "redis://r:x",
            "redis://10.0.0.0/33:1",
            "redis://a*b:1",
        ] {
            assert!(AllowedHost::parse(entry).is_err(), "{entry}");
        }
    }
}
