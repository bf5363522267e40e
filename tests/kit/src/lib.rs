//! What confab's tests and benchmarks share.
//!
//! - [`component`] builds the component, once.
//! - [`Redis`] is a real redis-server of one test's own: [`Redis::command`] is the one way to run a command on it.
//! - [`Cluster`] is a real Redis Cluster: its slots move, its nodes die and come back.
//! - [`Proxy`] is a TCP proxy in front of Redis that delays, cuts, holds and hangs.
//! - [`RefusingRedis`] is in front of one too, and refuses what a test wants refused.
//! - [`Confab`] is the component on a host: `Confab::on(&redis).variable("redis_timeout_ms", 300).start()`. A test that needs
//!   no Redis says so by `Confab::anywhere()`, and then checks any URL.
//! - [`Follower`] is a client of an event stream, [`Caller`] a caller of the WIT interface.
//! - [`Audit`] compares acknowledged messages with stored ones.
//! - [`Port`] is a port that nobody else can take.
//! - [`token`] makes tokens, as an app's own backend does.
//! - [`until`] waits for a condition, [`to_its_end`] for the end of an answer.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod access;
mod audit;
mod cluster;
pub mod component;
mod confab;
mod follower;
mod host;
mod inbox;
mod names;
mod pages;
mod place;
mod port;
mod proxy;
mod redis;
mod refusing;
mod requests;
mod response;
mod script;
pub mod token;
mod wait;
pub mod wit;

pub use audit::{Acknowledged, Audit};
pub use cluster::Cluster;
pub use confab::{Builder, Confab};
pub use follower::{Event, Follower};
pub use pages::{log_key, numbers, texts};
pub use port::{Endpoint, Port};
pub use proxy::{Fault, Faults, Odds, Proxy, Traffic};
pub use redis::{Clock, Info, Monitor, Redis};
pub use refusing::RefusingRedis;
pub use response::TestResponse;
pub use script::{Ran, script};
pub use wait::{seed, to_its_end, until};
pub use wit::Caller;
