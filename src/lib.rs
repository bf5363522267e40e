//! confab: instant messaging for two-person chats, as one Spin component that keeps its messages in Redis.
//!
//! The floors, from the top:
//!
//! - [`http`] and [`wit`] are the two transports. They parse raw values into the types of `domain`, and write answers.
//! - [`service`] is what both call: send, pull, follow.
//! - [`store`] is the only folder that speaks Redis: a file, with its Lua script, for each thing done there.
//! - [`identity`] turns a token into a caller.
//! - [`config`] is the table of the component's Spin variables.
//! - [`domain`] holds plain types. Nothing past the transports can be invalid.
//!
//! Imports go one way, down: `http` | `wit` -> `service` -> `store` | `identity` -> `config` -> `domain`. Inside a folder, a file
//! never imports its parent's file. `scripts/check-imports` fails if one does.

pub mod config;
pub mod domain;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod identity;
pub mod service;
pub mod store;
pub mod wit;
