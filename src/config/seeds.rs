//! Where Redis is: the addresses at which the component begins.

use crate::config::endpoint::{Address, Credentials, Endpoint, Scheme};

/// The addresses at which the component begins: one of a single Redis, or up to three nodes of a Cluster.
pub struct Seeds {
    first: Endpoint,
    others: Vec<Endpoint>,
}

impl Seeds {
    /// The first seed, and others, of which an empty entry is none. All have the credentials of the first.
    pub(super) fn new(first: Endpoint, others: impl IntoIterator<Item = Option<Endpoint>>) -> Self {
        let others = others.into_iter().flatten().collect();
        Self { first, others }
    }

    /// How many there are, at least one.
    pub fn count(&self) -> usize {
        self.others.len().saturating_add(1)
    }

    /// The seed of this number, counted from 0. Behind the last one, it is the first.
    pub fn get(&self, number: usize) -> &Endpoint {
        let other = number.checked_sub(1).and_then(|place| self.others.get(place));
        other.unwrap_or(&self.first)
    }

    /// The number of the seed at this `host:port`.
    pub fn at(&self, address: &str) -> Option<usize> {
        (0..self.count()).find(|number| self.get(*number).address() == address)
    }
}

/// Parses an entry of `allowed_outbound_hosts` that is one Redis, or empty.
pub(super) fn parse(entry: &str, credentials: &Credentials) -> Result<Option<Endpoint>, &'static str> {
    const WRONG: &str =
        "must be empty, or one Redis as in redis://10.0.0.6:6379 or rediss://[::1]:6379, without credentials";
    if entry.is_empty() {
        return Ok(None);
    }
    let (scheme, address) = entry.split_once("://").ok_or(WRONG)?;
    let scheme = Scheme::parse(scheme).map_err(|_| WRONG)?;
    let address = Address::parse(address).map_err(|_| WRONG)?;
    Ok(Some(Endpoint::new(scheme, credentials.clone(), address)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_one_entry_or_none() {
        let credentials = Credentials::parse("u:p").unwrap();
        let url = |entry| parse(entry, &credentials).map(|seed| seed.map(|seed| seed.url()));
        assert_eq!(url(""), Ok(None));
        assert_eq!(url("rediss://[::1]:7"), Ok(Some("rediss://u:p@[::1]:7".into())));
        for wrong in [
            "x",
            "10.0.0.6:6379",
            "redis://10.0.0.6",
            "redis://*:6379",
            "http://a:1",
            "redis://u:p@a:1",
            "redis://a:1,b:2",
        ] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn seeds_are_counted_from_the_one_that_must_be_there() {
        let seed = |port| parse(&format!("redis://a:{port}"), &Credentials::parse("").unwrap()).unwrap();
        let seeds = Seeds::new(seed(1).unwrap(), [None, seed(2)]);
        let addresses: Vec<_> = (0..3).map(|number| seeds.get(number).address()).collect();
        assert_eq!((seeds.count(), addresses), (2, vec!["a:1", "a:2", "a:1"]));
        assert_eq!((seeds.at("a:2"), seeds.at("a:3")), (Some(1), None));
    }
}
