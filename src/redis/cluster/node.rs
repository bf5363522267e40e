//! A node of a Redis Cluster, or the one Redis.

use crate::config::Config;
use crate::redis::cluster::redirect::Address;
use std::borrow::Cow;
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
        let (_, configured) = halves(config);
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
    pub(in crate::redis) fn url<'a>(&self, config: &'a Config) -> Cow<'a, str> {
        match self {
            Self::Configured => Cow::Borrowed(&config.redis_url),
            Self::At(address) => Cow::Owned([halves(config).0, address].concat()),
        }
    }
}

/// The scheme and credentials, and the address. Credentials are percent-encoded, so the last `@` is between the two.
fn halves(config: &Config) -> (&str, &str) {
    let url = config.redis_url.as_str();
    let start = url.rfind('@').map_or(0, |at| at.saturating_add(1));
    url.split_at_checked(start).unwrap_or(("", url))
}
