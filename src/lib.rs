//! confab: instant messaging for two-person chats, as one Spin component that keeps its messages in Redis.
//!
//! Reading order, outside in:
//!
//! - [`http`] and [`rpc`] are the two doors: HTTP, and the WIT interface in `wit/`. `fields` reads what HTTP clients send.
//! - [`service`] and [`follower`] are what they both call: send, pull and follow.
//! - [`chat`], [`message`], [`page`] and [`live`] are the types that raw values become at the doors. Nothing further in can be invalid.
//! - `store` speaks Redis over the instance's `connection`; `keys` names what is stored there.
//! - [`error`] is why a request failed, for both doors; `config` is the component's Spin variables.
//!
//! Imports go one way: doors, service and follower, store, keys.

pub mod bindings;
pub mod chat;
pub mod config;
pub mod connection;
pub mod error;
pub mod fields;
pub mod follower;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod keys;
pub mod live;
pub mod message;
pub mod page;
pub mod rpc;
pub mod service;
pub mod store;
