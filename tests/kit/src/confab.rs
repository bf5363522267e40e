//! confab on a host: its variables, its address and its server log.

use crate::access::not_with_tokens;
use crate::host::Host;
use crate::place::{Place, not_at_a_url, place, skip};
use crate::{Cluster, Endpoint, Redis, names, until};
use confab_host::instances::Limits;
use reqwest::Client;
use std::collections::HashMap;

/// A running confab. It ends when it is dropped, unless it is elsewhere.
pub struct Confab {
    host: Host,
    pub(crate) client: Client,
    /// What all names begin with.
    pub(crate) prefix: String,
    /// Whether each message is sent in its sender's own name, and not by a service.
    pub(crate) persons_send: bool,
    redis: Option<Redis>,
}

/// What a confab will run with.
#[derive(Clone, Debug)]
pub struct Builder {
    /// The Redis; `None` if any will do.
    redis: Option<String>,
    variables: HashMap<String, String>,
    preferred: HashMap<String, String>,
    persons_send: bool,
    limits: Option<Limits>,
}

impl Builder {
    /// Has so many stacks for all instances, each of which serves so many requests. At a URL, the test is skipped.
    #[must_use]
    pub fn limits(mut self, stacks: usize, reuse_count: usize) -> Self {
        not_at_a_url("it needs a host of its own");
        self.limits = Some(Limits { reuse_count, stacks });
        self
    }

    /// Lets each message be sent in its sender's own name, also at a URL that asks who calls.
    #[must_use]
    pub fn persons_send(mut self) -> Self {
        self.persons_send = true;
        self
    }

    /// Sets a variable of `spin.toml`. At a URL, the test is skipped: it may have another value there.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers write a number or a text")]
    pub fn variable(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.insert(name.to_owned(), value.to_string());
        self
    }

    /// Sets a variable of `spin.toml` if possible. The test holds with any value, and takes longer with others.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers write a number or a text")]
    pub fn prefer(mut self, name: &str, value: impl ToString) -> Self {
        self.preferred.insert(name.to_owned(), value.to_string());
        self
    }

    /// Starts a host on a port of its own. Call it again for another host on the same Redis.
    pub fn start(&self) -> Confab {
        if let (Place::Url(_), Some((name, value))) = (place(), self.variables.iter().next()) {
            skip(format_args!("it needs a confab with {name}={value}"));
        }
        let redis = match (place(), &self.redis) {
            (Place::Url(_), _) | (_, Some(_)) => None,
            (Place::Here | Place::Spin, None) => Some(Redis::start()),
        };
        let mut variables = self.preferred.clone();
        variables.extend(self.variables.clone());
        let place = redis.as_ref().map(Endpoint::host).or_else(|| self.redis.clone());
        variables.extend(place.map(|host| ("redis_host".to_owned(), host)));
        Confab {
            host: Host::start(variables, self.limits),
            client: Client::new(),
            prefix: names::prefix(),
            persons_send: self.persons_send,
            redis,
        }
    }
}

impl Confab {
    /// Prepares a confab on this Redis, or on the proxy in front of one. Its variables have the values of `spin.toml`.
    pub fn on(redis: &(impl Endpoint + ?Sized)) -> Builder {
        not_at_a_url("it needs a Redis of its own");
        Builder {
            redis: Some(redis.host()),
            ..Self::anywhere()
        }
    }

    /// Prepares a confab on this Cluster.
    pub fn on_cluster(cluster: &Cluster) -> Builder {
        Self::on(cluster).variable("redis_nodes", Cluster::NODES)
    }

    /// Starts a confab on this Redis, all variables as in `spin.toml`.
    pub fn start(redis: &(impl Endpoint + ?Sized)) -> Self {
        Self::on(redis).start()
    }

    /// Prepares any confab, for a test that needs no Redis: the one at the URL under test, or else one on a new Redis.
    /// All names that a test writes itself must come from [`Confab::name`] or [`Confab::chat`].
    pub fn anywhere() -> Builder {
        Builder {
            redis: None,
            variables: HashMap::new(),
            preferred: HashMap::new(),
            persons_send: false,
            limits: None,
        }
    }

    /// The new Redis below [`Confab::anywhere`]; `None` at a URL.
    pub fn redis(&self) -> Option<&Redis> {
        self.redis.as_ref()
    }

    /// The URL that all paths come after, without a slash at its end.
    pub fn url(&self) -> String {
        self.host.url()
    }

    /// The address as `host:port`, for a test that speaks HTTP/1.1 itself. It is skipped if the URL is not that simple.
    pub fn host(&self) -> String {
        not_with_tokens();
        let url = self.url();
        match url.strip_prefix("http://") {
            Some(host) if host.contains(':') && !host.contains('/') => host.to_owned(),
            _ => skip("it speaks HTTP/1.1 itself, and needs a URL like http://HOST:PORT"),
        }
    }

    /// Sets the clock of its host so many seconds ahead of the machine's, or behind it if the number is negative.
    pub fn set_clock(&self, seconds: i64) {
        self.host.inside().clock.set(seconds);
    }

    /// How many instances of the component it has made so far.
    pub fn instances(&self) -> usize {
        self.host.inside().server.instances()
    }

    /// The server log so far; empty at a URL.
    pub fn log(&self) -> String {
        self.host.log()
    }

    /// Waits until the server log contains this text.
    pub async fn logged(&self, text: &str) {
        until(&format!("the server log contains {text:?}"), async || {
            self.log().contains(text)
        })
        .await;
    }
}
