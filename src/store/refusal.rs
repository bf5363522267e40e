//! Why a Redis command failed: what the host says in words, classified once.
//!
//! The host has one text for everything, in the words of its client library (redis-rs 0.32): `An error was signalled by the server -
//! BusyLoadingError: ...` for the codes that the library knows, `OOM: ...` for all others, and those of the operating system for a
//! connection.

use crate::domain::error::{Error, Stored};
use crate::store::redirect::Redirect;
use spin_sdk::redis;
use std::rc::Rc;

/// Why a command failed.
#[derive(Debug, PartialEq)]
pub(super) enum Failure {
    /// Redis itself said so: the connection is healthy, and the command did nothing.
    Refused(Refusal),
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

/// What Redis refused, without its words: they may repeat a message's text or a secret.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    code: String,
    meaning: &'static str,
    /// The line of the script.
    line: Option<u32>,
}

/// What the codes mean that pass by themselves, or by another's work on Redis: 503.
const PASSING: &[(&str, &str)] = &[
    ("OOM", "its memory is full"),
    ("MISCONF", "it cannot write to its disk"),
    ("READONLY", "it is a replica, to which nobody may write"),
    ("LOADING", "it is still loading its data"),
    ("BUSY", "a script has kept it busy for too long"),
    ("NOREPLICAS", "it has too few replicas"),
    ("MASTERDOWN", "it is a replica that has lost its primary"),
    ("UNBLOCKED", "it has become a replica"),
    ("CLUSTERDOWN", "its Cluster is down"),
    ("TRYAGAIN", "its Cluster is moving the keys"),
    ("MOVED", CLUSTER),
    ("ASK", CLUSTER),
];

const CLUSTER: &str = "another node of its Cluster has the keys";

/// What the codes mean that only a person can end: 500.
const LASTING: &[(&str, &str)] = &[
    ("NOPERM", "its user may not run this command on these keys"),
    ("NOAUTH", "it needs a password"),
    ("WRONGPASS", "it does not accept the credentials"),
    ("DENIED", "it accepts no connections from other machines"),
    ("WRONGTYPE", "a key has a value of another type"),
    ("CROSSSLOT", "the keys are in several slots of its Cluster"),
];

/// What `ERR` means, by the first words of its text.
const ERRORS: &[(&str, &str)] = &[
    ("unknown command", "it does not know the command"),
    ("Unknown Redis command", "it does not know a command of the script"),
    (
        "wrong number of arguments",
        "the command has a wrong number of arguments",
    ),
    (
        "The user executing the script",
        "its user may not run a command of the script",
    ),
    ("ACL failure in script", "its user may not run a command of the script"),
];

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

impl Refusal {
    fn new(code: &str, words: &str) -> Self {
        // Redis reads no more than ten words of a client that has not given the password.
        let code = if words.starts_with("Protocol error: unauthenticated") {
            "NOAUTH"
        } else if words.starts_with("WAIT cannot be used with replica") {
            "READONLY"
        } else {
            code
        };
        let known = |table: &[(&str, &'static str)]| table.iter().find(|(known, _)| *known == code).map(|(_, it)| *it);
        let by_words = || ERRORS.iter().find(|(first, _)| words.starts_with(first));
        let meaning = known(PASSING)
            .or_else(|| known(LASTING))
            .or_else(|| by_words().map(|(_, meaning)| *meaning));
        let after = words.rsplit_once("user_script:").map_or("", |(_, after)| after);
        let digits = after.split(|next: char| !next.is_ascii_digit()).next();
        Self {
            code: code.to_owned(),
            meaning: meaning.unwrap_or("for a reason of its own"),
            line: digits.and_then(|digits| digits.parse().ok()),
        }
    }

    /// Whether it did not run a script because it does not know it (yet, or since a restart).
    pub(super) fn is_unknown_script(&self) -> bool {
        self.code == "NOSCRIPT"
    }

    /// Whether a new connection may lead to a Redis that does not refuse: the address may name another one by now.
    pub(super) fn may_be_of_another(&self) -> bool {
        matches!(&*self.code, "READONLY" | "LOADING" | "MASTERDOWN" | "UNBLOCKED")
    }

    /// Whether it did not run a script because its keys are in several slots of a Cluster.
    pub(super) fn is_of_several_slots(&self) -> bool {
        self.code == "CROSSSLOT"
    }

    /// Whether the nodes of a Cluster do not agree yet, or are in the middle of a move.
    fn is_of_a_changing_cluster(&self) -> bool {
        matches!(&*self.code, "TRYAGAIN" | "CLUSTERDOWN")
    }

    fn passes(&self) -> bool {
        PASSING.iter().any(|(code, _)| *code == self.code)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, meaning, line } = self;
        write!(to, "Redis refused: {code}, {meaning}")?;
        line.map_or(Ok(()), |line| write!(to, " (line {line} of the script)"))
    }
}

impl Failure {
    /// Whether the same command may succeed on a new connection.
    pub(super) fn ends_with_the_connection(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.may_be_of_another(),
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
            Self::Refused(refusal) => refusal.is_of_a_changing_cluster(),
            _ => false,
        }
    }

    /// The error of a request that failed for this, and that has stored `stored`.
    pub(super) fn error(self, stored: Stored) -> Error {
        match self {
            Self::Refused(refusal) if refusal.passes() => Error::unavailable(refusal.to_string(), stored),
            Self::Refused(refusal) => Error::internal(refusal.to_string()),
            Self::Moved(_) => Error::unavailable(Refusal::new("MOVED", "").to_string(), stored),
            Self::Ask(_) => Error::unavailable(Refusal::new("ASK", "").to_string(), stored),
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
            redis::Error::Other(text) => Self::of_text(text),
        }
    }
}

impl Failure {
    fn of_text(text: String) -> Self {
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
                return Self::Refused(Refusal::new(code, words));
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
            return Self::Refused(Refusal::new(first, words));
        }
        if text.starts_with("query result exceeds limit") {
            return Self::Data;
        }
        Self::Transport(text)
    }
}

#[cfg(test)]
mod tests;
