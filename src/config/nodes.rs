//! The value of `redis_nodes`: an entry of Spin's `allowed_outbound_hosts`. The host reads it; confab checks it first, as Spin refuses
//! every connection if one of its entries is malformed, without a word about which.

use crate::config::host::{is_host, is_port};
use std::net::IpAddr;

/// Fails if the value is neither empty nor an entry that Spin takes for a Redis.
pub(super) fn check(value: &str) -> Result<(), &'static str> {
    if value.is_empty() || is_entry(value) {
        return Ok(());
    }
    Err(
        "must be one entry of allowed_outbound_hosts, as in redis://10.0.0.0/8:6379, rediss://*.cache.example:6379 or redis://*:*",
    )
}

fn is_entry(entry: &str) -> bool {
    let Some((scheme, place)) = entry.split_once("://") else {
        return false;
    };
    if !matches!(scheme, "redis" | "rediss" | "*") {
        return false;
    }
    let place = place.strip_suffix('/').unwrap_or(place);
    // Spin knows a port for the scheme redis alone.
    if scheme == "redis" && is_pattern(place) {
        return true;
    }
    let Some((hosts, ports)) = place.rsplit_once(':') else {
        return false;
    };
    let is_range = || {
        ports
            .split_once("..")
            .is_some_and(|(first, end)| is_port(first) && is_port(end))
    };
    is_pattern(hosts) && (ports == "*" || is_port(ports) || is_range())
}

/// Whether it is any host (`*`), the hosts of a domain (`*.cache.example`), those of a network (`10.0.0.0/8`), or one host.
fn is_pattern(hosts: &str) -> bool {
    let is_network = |(network, bits): (&str, &str)| {
        let most = match network.parse() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    };
    hosts == "*" || is_host(hosts.strip_prefix("*.").unwrap_or(hosts)) || hosts.split_once('/').is_some_and(is_network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spin_takes_for_a_redis_is_an_entry() {
        for entry in [
            "",
            "redis://10.0.0.0/8:6379",
            "redis://fd00::/8:6379",
            "redis://10.0.0.0/8",
            "rediss://*.cache.example:6379",
            "redis://*:*",
            "*://*:*",
            "*://10.0.0.1:7000..7010",
            "redis://[::1]:6379",
            "redis://redis",
            "redis://redis:6379/",
        ] {
            assert_eq!(check(entry), Ok(()), "{entry}");
        }
        for entry in [
            "x",
            "*",
            "10.0.0.0/8:6379",
            "redis:6379",
            "redis://",
            "redis://x:y",
            "redis://10.0.0.0/33:6379",
            "redis://x/8:6379",
            "redis://user:pw@10.0.0.1:6379",
            "rediss://cache.example",
            "http://10.0.0.1:6379",
            "redis://*.*:6379",
            "redis://a*:6379",
            "redis://10.0.0.1:6379/0",
            "redis://10.0.0.1:6379,redis://10.0.0.2:6379",
            "redis://10.0.0.1:6379 redis://10.0.0.2:6379",
            "redis://10.0.0.1:7000-7010",
        ] {
            assert!(check(entry).is_err(), "{entry}");
        }
    }
}
