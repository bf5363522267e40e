//! A small host for Spin components: the part of Spin that confab needs, for machines without Spin.
//!
//! - [`manifest`] reads `spin.toml`: the components' file, their routes and variables, the hosts they may reach.
//! - [`allowed`] says which addresses that is.
//! - [`clock`] is the wall clock of instances.
//! - [`program`] compiles the component and links it to the interfaces of the host: WASI, `redis` and `variables`.
//! - `redis` and `variables` implement Spin's interfaces of these names.
//! - [`instances`] makes and reuses instances, by Spin's rules and limits.
//! - `pool` counts the stacks of instances, of which Spin has so many.
//! - [`server`] serves the components over HTTP.
//!
//! It behaves like Spin 4.1, even if that is inconvenient: Nagle's algorithm stays on, Redis connections are not pooled and do
//! not reconnect, a slow Redis has no timeout, and nested replies are flattened. It is for development and tests; production is
//! Spin. It has no TLS, neither to its clients nor to Redis.

pub mod allowed;
pub mod clock;
pub mod instances;
pub mod manifest;
mod pool;
pub mod program;
mod redis;
pub mod server;
mod variables;
