//! A node of a Redis Cluster, or the one Redis.

use crate::config::Config;
use crate::redis::cluster::redirect::Address;
use std::rc::Rc;

/// A Redis to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::redis) enum Node {
    /// The seed of this number: one that the settings name.
    Seed(usize),
    /// Another node of its Cluster, at this `host:port`.
    At(Rc<str>),
}

impl Node {
    /// The node at the address that `answered` gave.
    pub(in crate::redis) fn new(config: &Config, answered: &Self, address: &Address) -> Self {
        let own = match answered {
            Self::Seed(number) => config.seeds.get(*number).address(),
            Self::At(address) => address,
        };
        let own_host = own.rsplit_once(':').map_or(own, |(host, _)| host);
        let host = address.host.as_deref().unwrap_or(own_host);
        let address = format!("{host}:{}", address.port);
        let seed = config.seeds.at(&address).map(Self::Seed);
        seed.unwrap_or_else(|| Self::At(address.into()))
    }

    /// Its URL, with the credentials of the settings: never to be printed. A node that no setting names has the scheme of the first seed.
    pub(in crate::redis) fn url(&self, config: &Config) -> String {
        match self {
            Self::Seed(number) => config.seeds.get(*number).url(),
            Self::At(address) => config.seeds.get(0).url_of(address),
        }
    }
}
