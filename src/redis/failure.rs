//! Why a Redis command failed: what the host says in words, classified once.
//!
//! The host has one text for everything, in the words of its client library (redis-rs 0.32): `An error was signalled by the server -
//! BusyLoadingError: ...` for the codes that the library knows, `OOM: ...` for all others, and those of the operating system for a
//! connection.

use crate::domain::error::{Error, Stored};
use crate::redis::cluster::redirect::Redirect;
use crate::redis::error_reply::ErrorReply;
use spin_sdk::redis;
use std::rc::Rc;

/// Why a command failed.
#[derive(Debug, PartialEq)]
pub(super) enum Failure {
    /// Redis itself said so: the connection is healthy, and the command did nothing.
    Refused(ErrorReply),
    /// Another node of the Cluster has the slot.
    Moved(Redirect),
    /// The slot is moving to another node of the Cluster, and this key is not here, or no longer.
    Ask(Redirect),
    /// The reply, or a part of it, is of a kind or size that the host does not pass on.
    Data,
    /// Fewer replicas than required have what was written.
    Replicas { have: u64, required: u64 },
    /// The connection broke or was never there: the command may have run, or not.
    Transport(String),
    /// The host allows this component no more connections.
    HostLimit,
    /// The host does not allow this address of a node of a Cluster, or that in the settings (`None`), or a setting is malformed.
    Address(Option<Rc<str>>),
}

/// The names that the host's client library has for codes.
const NAMES: &[(&str, &str)] = &[
    ("ResponseError", "ERR"),
    ("BusyLoadingError", "LOADING"),
    ("NoScriptError", "NOSCRIPT"),
    ("Moved", "MOVED"),
    ("Ask", "ASK"),
    ("TryAgain", "TRYAGAIN"),
    ("ClusterDown", "CLUSTERDOWN"),
    ("CrossSlot", "CROSSSLOT"),
    ("MasterDown", "MASTERDOWN"),
    ("ReadOnly", "READONLY"),
    ("AuthenticationFailed", "WRONGPASS"),
];

impl Failure {
    /// Whether the same command may succeed on a new connection.
    pub(super) fn ends_with_the_connection(&self) -> bool {
        match self {
            Self::Refused(reply) => reply.may_be_of_another(),
            Self::Transport(_) => true,
            Self::Moved(_) | Self::Ask(_) | Self::Replicas { .. } | Self::Data | Self::HostLimit | Self::Address(_) => {
                false
            }
        }
    }

    /// Whether the same command may succeed a moment later, on the node that has the keys then.
    pub(super) fn ends_with_a_change_of_the_cluster(&self) -> bool {
        match self {
            Self::Moved(_) | Self::Ask(_) => true,
            Self::Refused(reply) => reply.is_of_a_changing_cluster(),
            _ => false,
        }
    }

    /// The error of a request that failed for this, and that has stored `stored`.
    pub(super) fn error(self, stored: Stored) -> Error {
        match self {
            Self::Refused(reply) if reply.passes() => Error::unavailable(reply.to_string(), stored),
            Self::Refused(reply) => Error::internal(reply.to_string()),
            Self::Moved(_) => Error::unavailable(ErrorReply::new("MOVED", "").to_string(), stored),
            Self::Ask(_) => Error::unavailable(ErrorReply::new("ASK", "").to_string(), stored),
            Self::Replicas { have, required } => Error::unavailable(
                format!("{have} of its replicas have the message in time, redis_replicas requires {required}"),
                stored,
            ),
            Self::Data => Error::internal("the host does not pass on the reply of Redis".to_owned()),
            Self::Transport(why) => Error::unavailable(why, stored),
            Self::HostLimit => Error::unavailable("the host allows no more connections", stored),
            Self::Address(None) => Error::internal(
                "the Redis address or allowed_outbound_hosts is malformed, or the one does not have the other: see redis_host and redis_nodes"
                    .to_owned(),
            ),
            Self::Address(Some(node)) => Error::internal(format!(
                "the variable redis_nodes does not allow {node}, a node of the Redis Cluster"
            )),
        }
    }
}

impl From<redis::Error> for Failure {
    fn from(error: redis::Error) -> Self {
        match error {
            redis::Error::InvalidAddress => Self::Address(None),
            redis::Error::TooManyConnections => Self::HostLimit,
            redis::Error::TypeError => Self::Data,
            redis::Error::Other(text) => Self::parse(text),
        }
    }
}

impl Failure {
    fn parse(text: String) -> Self {
        // As the library writes it: what it is about, a dash, its name for the kind, and after a colon what the server said.
        if let Some((_, kind)) = text.split_once("- ") {
            let (name, words) = kind.split_once(": ").unwrap_or((kind, ""));
            if words.starts_with("max number of clients") {
                return Self::Transport("Redis accepts no more connections (maxclients)".into());
            }
            match (name, Redirect::parse(words)) {
                ("Moved", Some(redirect)) => return Self::Moved(redirect),
                ("Ask", Some(redirect)) => return Self::Ask(redirect),
                _ => {}
            }
            if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
                return Self::Refused(ErrorReply::new(code, words));
            }
            if name == "TypeError" {
                return Self::Data;
            }
            if name == "ParseError" {
                return Self::Transport("the reply is not one of Redis".into());
            }
        }
        let (first, words) = text.split_once(": ").unwrap_or((&text, ""));
        let is_code = |character: char| character.is_ascii_uppercase() || character.is_ascii_digit();
        if (2..=20).contains(&first.len()) && first.chars().all(is_code) {
            return Self::Refused(ErrorReply::new(first, words));
        }
        if text.starts_with("query result exceeds limit") {
            return Self::Data;
        }
        Self::Transport(text)
    }
}

#[cfg(test)]
mod tests;
