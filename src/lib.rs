//! confab: instant messaging for two-person chats, as one Spin component that keeps its messages in Redis.
//!
//! The floors, from the top:
//!
//! - [`http`] and [`wit`] are the two transports. They parse raw values into the types of `domain`, and write answers.
//! - [`service`] is what both call: send, pull, follow. It decides who may do what.
//! - [`store`] is what is kept in Redis: the keys, and a file with its Lua script for each thing done. It knows no node.
//! - [`identity`] turns a token into a caller.
//! - [`redis`] is the Redis client: connections, scripts, the nodes of a Cluster, waiting. It knows no chat.
//! - [`session`] is what one request works with: the settings, and its time.
//! - [`config`] is the table of the component's Spin variables.
//! - [`server_log`] writes what an operator reads.
//! - [`domain`] holds plain types. Nothing past the transports can be invalid.
//!
//! Imports go one way, down: `http` | `wit` -> `service` -> `store` | `identity` -> `redis` -> `session` -> `config` -> `server_log` ->
//! `domain`. Inside a folder, a file never imports its parent's file. `scripts/check-imports` fails if one does.

pub mod config;
pub mod domain;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod identity;
pub mod redis;
pub mod server_log;
pub mod service;
pub mod session;
pub mod store;
pub mod wit;
