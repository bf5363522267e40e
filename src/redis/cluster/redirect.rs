//! Where a Redis Cluster says that a slot is: redirects, and the map of all slots.

use crate::redis::cluster::slot::Slot;
use spin_sdk::redis::RedisResult;

/// Where a node listens.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::redis) struct Address {
    /// Its name or IP address; `None` if it is that of the node that answered.
    pub(in crate::redis) host: Option<String>,
    pub(in crate::redis) port: u16,
}

impl Address {
    /// Parses `host:port`. An IPv6 address has no brackets here.
    fn parse(address: &str) -> Option<Self> {
        let (host, port) = address.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let host = if host.is_empty() { None } else { Some(name(host)?) };
        Some(Self { host, port })
    }
}

/// A host's name, or an IP address as it stands in a URL; `None` if it is neither. A node that does not know its name says `?`.
fn name(host: &str) -> Option<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-_.:".contains(character);
    let valid = !host.is_empty() && host.len() <= 255 && host.chars().all(is_part);
    let bracketed = host.contains(':').then(|| format!("[{host}]"));
    valid.then(|| bracketed.unwrap_or_else(|| host.to_owned()))
}

/// A refusal that says which node to ask.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::redis) struct Redirect {
    pub(in crate::redis) slot: Slot,
    pub(in crate::redis) to: Address,
}

impl Redirect {
    /// Parses `<slot> <host>:<port>`, which is what follows `MOVED` and `ASK`.
    pub(in crate::redis) fn parse(words: &str) -> Option<Self> {
        let (slot, address) = words.split_once(' ')?;
        let slot = slot.parse().ok().and_then(Slot::numbered)?;
        let to = Address::parse(address)?;
        Some(Self { slot, to })
    }
}

/// The slots from one to another, and their nodes.
#[derive(Debug, PartialEq)]
pub(in crate::redis) struct Range {
    pub(in crate::redis) first: Slot,
    pub(in crate::redis) last: Slot,
    pub(in crate::redis) primary: Address,
    pub(in crate::redis) replicas: Vec<Address>,
}

/// Reads the reply to `CLUSTER SLOTS` without its nesting, as the host passes it on. A range is two integers and its nodes, the primary
/// first; a node is its host, an integer, its id, and pairs of strings. A range whose primary does not know its name is left
/// out. `None` if the reply has another shape.
pub(in crate::redis) fn ranges(mut reply: &[RedisResult]) -> Option<Vec<Range>> {
    let mut ranges = Vec::new();
    while let [first, last, rest @ ..] = reply {
        let (first, last) = (slot(first)?, slot(last)?);
        let (primary, mut rest) = node(rest)?;
        let mut replicas = Vec::new();
        while let [RedisResult::Binary(_) | RedisResult::Nil, ..] = rest {
            let (replica, after) = node(rest)?;
            replicas.extend(replica);
            rest = after;
        }
        if let Some(primary) = primary {
            ranges.push(Range {
                first,
                last,
                primary,
                replicas,
            });
        }
        reply = rest;
    }
    reply.is_empty().then_some(ranges)
}

fn slot(number: &RedisResult) -> Option<Slot> {
    match number {
        RedisResult::Int64(number) => u16::try_from(*number).ok().and_then(Slot::numbered),
        _ => None,
    }
}

/// A node, if its host and port are valid, and what follows it.
fn node(reply: &[RedisResult]) -> Option<(Option<Address>, &[RedisResult])> {
    let [host, RedisResult::Int64(port), RedisResult::Binary(_), rest @ ..] = reply else {
        return None;
    };
    let host = match host {
        RedisResult::Nil => Some(None),
        RedisResult::Binary(host) if host.is_empty() => Some(None),
        RedisResult::Binary(host) => str::from_utf8(host).ok().and_then(name).map(Some),
        _ => return None,
    };
    let port = u16::try_from(*port).ok().filter(|port| *port != 0);
    let address = host.zip(port).map(|(host, port)| Address { host, port });
    let mut rest = rest;
    // Its other names. A string before an integer is the next node.
    while let [RedisResult::Binary(_), RedisResult::Binary(_), after @ ..] = rest {
        rest = after;
    }
    Some((address, rest))
}

#[cfg(test)]
mod tests;
