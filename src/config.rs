//! The component's Spin variables: one table with name, default, bounds and meaning. Read once per instance.

pub mod auth;
pub mod endpoint;
mod first_message;
mod host;
mod limits;
mod nodes;
mod number;
pub mod origins;
pub mod problem;
mod seeds;
mod text;
pub mod values;

use crate::domain::error::Result;
use crate::domain::quota::Quota;
use auth::Auth;
use endpoint::{Address, Credentials, Endpoint, Scheme};
pub use first_message::FirstMessage;
use limits::{SEND_LIMIT, SEND_WINDOW_S, STREAM_LIMIT};
pub use number::Number;
use origins::Origins;
use problem::ConfigProblem;
pub use seeds::Seeds;
use std::cell::OnceCell;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;
use text::{CORS_ORIGINS, REDIS_CREDENTIALS, REDIS_HOST, REDIS_NODES, REDIS_SCHEME, REDIS_SEED_THREE, REDIS_SEED_TWO};
pub use text::{REDIS, TEXTS, Text};
use values::Values;

/// Upper bound of `redis_timeout_ms`.
pub const MAX_REDIS_TIMEOUT_MS: u64 = 20_000;

/// The shortest time for which a send is remembered, whatever `idempotency_window_s` is: three times the longest that its request
/// can go on trying.
pub const LEAST_WINDOW: Duration = Duration::from_millis(3 * MAX_REDIS_TIMEOUT_MS);

const REDIS_TIMEOUT_MS: Number = Number {
    name: "redis_timeout_ms",
    default: 2000,
    bounds: 1..=MAX_REDIS_TIMEOUT_MS,
    meaning: "How long a request waits for Redis before it is answered 503, in milliseconds",
};

const REQUEST_TIMEOUT_MS: Number = Number {
    name: "request_timeout_ms",
    default: 28_000,
    bounds: 1000..=600_000,
    meaning: "How long a request that is not a stream may take in all, its body, its wait and Redis, in milliseconds",
};

const IDEMPOTENCY_WINDOW_S: Number = Number {
    name: "idempotency_window_s",
    default: 24 * 60 * 60,
    bounds: 1..=366 * 24 * 60 * 60,
    meaning: "How long an Idempotency-Key is remembered at least, in seconds; below 60 means 60",
};

const MAX_MESSAGES_PER_CHAT: Number = Number {
    name: "max_messages_per_chat",
    default: 0,
    bounds: 0..=1_000_000_000_000,
    meaning: "How many messages a chat keeps, the newest ones; 0 keeps all",
};

const STREAM_HEARTBEAT_S: Number = Number {
    name: "stream_heartbeat_s",
    default: 15,
    bounds: 1..=3600,
    meaning: "Heartbeat interval of an idle stream, in seconds; also the write timeout for a client that stops reading",
};

const STREAM_LIFETIME_S: Number = Number {
    name: "stream_lifetime_s",
    default: 300,
    bounds: 1..=24 * 60 * 60,
    meaning: "How long a stream lasts, in seconds; its client continues with a new one",
};

const REDIS_REPLICAS: Number = Number {
    name: "redis_replicas",
    default: 0,
    bounds: 0..=16,
    meaning: "How many replicas must have a message before its send is acknowledged",
};

/// Every variable whose value is a number. There are also [`REDIS`] and [`TEXTS`].
pub const VARIABLES: [&Number; 10] = [
    &REDIS_TIMEOUT_MS,
    &REDIS_REPLICAS,
    &REQUEST_TIMEOUT_MS,
    &IDEMPOTENCY_WINDOW_S,
    &MAX_MESSAGES_PER_CHAT,
    &STREAM_HEARTBEAT_S,
    &STREAM_LIFETIME_S,
    &SEND_LIMIT,
    &SEND_WINDOW_S,
    &STREAM_LIMIT,
];

/// The settings of this deployment.
pub struct Config {
    /// Where Redis is.
    pub seeds: Seeds,
    /// How long a request waits for Redis.
    pub redis_timeout: Duration,
    /// How many replicas must have a message before its send is acknowledged.
    pub redis_replicas: u64,
    /// How long a request that is not a stream may take in all.
    pub request_timeout: Duration,
    /// How long an idempotency key is remembered at least, but never shorter than [`LEAST_WINDOW`].
    pub idempotency_window: Duration,
    /// How many messages a chat keeps, the newest ones; `None` for all.
    pub max_messages: Option<NonZeroU64>,
    /// Heartbeat interval of an idle stream; also the write timeout for a client that stops reading.
    pub stream_heartbeat: Duration,
    /// How long a stream lasts, so that its host can replace the instance.
    pub stream_lifetime: Duration,
    /// How many messages a person may send; `None` for any number, as if nobody proves who they are.
    pub send_quota: Option<Quota>,
    /// How many streams and waiting pulls a person may have at once, who proves it; `None` for any number.
    pub stream_limit: Option<NonZeroU64>,
    /// Whose tokens are accepted; `None` if anybody may call.
    pub auth: Option<Auth>,
    /// Who may write the first message of a chat.
    pub first_message: FirstMessage,
    /// The pages of other origins that may call.
    pub origins: Origins,
}

thread_local! {
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

/// This instance's settings. A variable that is missing or malformed is an [`Internal`](crate::domain::error::Error::Internal) that names it.
pub async fn get() -> Result<Rc<Config>> {
    if let Some(config) = CONFIG.with(|cell| cell.get().cloned()) {
        return Ok(config);
    }
    let texts = REDIS.iter().chain(&TEXTS).map(|text| text.name);
    let names = VARIABLES.iter().map(|number| number.name).chain(texts);
    let config = Rc::new(Config::parse(&Values::read(names).await?)?);
    // Another request of this instance may have been first: both read the same values.
    Ok(CONFIG.with(|cell| cell.get_or_init(|| config).clone()))
}

impl Config {
    fn parse(values: &Values) -> Result<Self, ConfigProblem> {
        let milliseconds = |number: &Number| number.read(values).map(Duration::from_millis);
        let seconds = |number: &Number| number.read(values).map(Duration::from_secs);
        let scheme = values.parsed(REDIS_SCHEME.name, Scheme::parse)?;
        let credentials = values.parsed(REDIS_CREDENTIALS.name, Credentials::parse)?;
        let address = values.parsed(REDIS_HOST.name, Address::parse)?;
        let other = |text: &Text| values.parsed(text.name, |entry| seeds::parse(entry, &credentials));
        let others = [other(&REDIS_SEED_TWO)?, other(&REDIS_SEED_THREE)?];
        let seeds = Seeds::new(Endpoint::new(scheme, credentials.clone(), address), others);
        values.parsed(REDIS_NODES.name, nodes::check)?;
        let auth = Auth::read(values)?;
        Ok(Self {
            seeds,
            redis_timeout: milliseconds(&REDIS_TIMEOUT_MS)?,
            redis_replicas: REDIS_REPLICAS.read(values)?,
            request_timeout: milliseconds(&REQUEST_TIMEOUT_MS)?,
            idempotency_window: seconds(&IDEMPOTENCY_WINDOW_S)?,
            max_messages: NonZeroU64::new(MAX_MESSAGES_PER_CHAT.read(values)?),
            stream_heartbeat: seconds(&STREAM_HEARTBEAT_S)?,
            stream_lifetime: seconds(&STREAM_LIFETIME_S)?,
            send_quota: limits::send_quota(values, auth.is_some())?,
            first_message: FirstMessage::read(values, auth.is_some())?,
            stream_limit: NonZeroU64::new(STREAM_LIMIT.read(values)?),
            auth,
            origins: values.parsed(CORS_ORIGINS.name, Origins::parse)?,
        })
    }
}

#[cfg(test)]
mod tests;
