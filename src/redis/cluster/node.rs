//! A node of a Redis Cluster, or the one Redis.

use crate::config::Config;
use crate::redis::cluster::redirect::Address;
use std::rc::Rc;

/// A Redis to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::redis) enum Node {
    /// The one that `redis_host` names.
    Configured,
    /// Another node of its Cluster, at this `host:port`.
    At(Rc<str>),
}

impl Node {
    /// The node at the address that `answered` gave.
    pub(in crate::redis) fn new(config: &Config, answered: &Self, address: &Address) -> Self {
        let configured = config.redis.address();
        let own = match answered {
            Self::Configured => configured,
            Self::At(address) => address,
        };
        let own_host = own.rsplit_once(':').map_or(own, |(host, _)| host);
        let host = address.host.as_deref().unwrap_or(own_host);
        let address = format!("{host}:{}", address.port);
        if address == configured {
            Self::Configured
        } else {
            Self::At(address.into())
        }
    }

    /// Its URL, with the scheme and credentials of the one in the settings: never to be printed.
    pub(in crate::redis) fn url(&self, config: &Config) -> String {
        match self {
            Self::Configured => config.redis.url(),
            Self::At(address) => config.redis.url_of(address),
        }
    }
}
