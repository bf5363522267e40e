//! The host and the port of a Redis, as a URL has them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest name of a host that DNS has, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// Whether it is a name, an IPv4 address, or an IPv6 address in brackets.
pub(super) fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    // A name may end with a dot.
    let name = host.strip_suffix('.').unwrap_or(host);
    let has_parts = name
        .split('.')
        .all(|part| !part.is_empty() && part.chars().all(is_part));
    let last = name.rsplit('.').next().unwrap_or_default();
    // To a URL, a host that ends with a number is an address.
    let is_number = last.chars().all(|character| character.is_ascii_digit());
    has_parts && host.len() <= MAX_NAME_BYTES && (!is_number || host.parse::<Ipv4Addr>().is_ok())
}

/// Whether it is a port to connect to.
pub(super) fn is_port(port: &str) -> bool {
    let is_digits = port.bytes().all(|byte| byte.is_ascii_digit());
    is_digits && port.parse::<u16>().is_ok_and(|port| port > 0)
}
