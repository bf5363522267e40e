//! A host for Spin components, small enough to read: what confab needs of Spin, where Spin is not installed.
//!
//! - [`manifest`] reads `spin.toml`: the component's file, its variables, the hosts it may reach.
//! - [`program`] compiles the component and links it to what a host offers it: WASI, and `redis` and `variables` below.
//! - `redis` and `variables` are Spin's interfaces of these names.
//! - [`server`] serves it over HTTP, with Spin's rules for the reuse of instances.
//!
//! It behaves as Spin 4.1 does, also where that is uncomfortable: Nagle's algorithm stays on, Redis connections are not
//! pooled and do not mend themselves, nothing bounds a slow Redis, and replies are flattened. It is for development and
//! tests; production is Spin. It has no TLS, neither to its clients nor to Redis.

pub mod manifest;
pub mod program;
mod redis;
pub mod server;
mod variables;
