//! The Redis client: connections that all requests of the instance share, scripts, the nodes of a Cluster, and waiting. It knows no chat.

mod act;
mod attempt;
mod cluster;
mod connection;
mod error_reply;
mod failure;
mod flight;
mod packed;
mod ready;
mod replicas;
mod reply;
mod script;
mod source;
mod waiting;

pub use attempt::ask;
pub use cluster::is_divided;
pub use packed::{NotPacked, lists, strings};
pub use ready::ready;
pub use reply::number;
pub use script::Script;
pub use waiting::Watch;

#[cfg(test)]
pub use reply::texts;
