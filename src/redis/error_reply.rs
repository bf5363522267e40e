//! What Redis itself refused: its error reply, by the code that it begins with.

use std::fmt;

/// An error reply of Redis, without its words: they may repeat a message's text or a secret.
#[derive(Debug, PartialEq)]
pub(super) struct ErrorReply {
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

impl ErrorReply {
    /// The error reply of this code, in these words.
    pub(super) fn new(code: &str, words: &str) -> Self {
        // Redis reads no more than ten words of a client that has not given the password.
        let code = if words.starts_with("Protocol error: unauthenticated") {
            "NOAUTH"
        } else if words.starts_with("WAIT cannot be used with replica") {
            "READONLY"
        } else if words.starts_with("Script attempted to access a non local key") {
            // Its slot is half moved, and the script came upon a key that is not here.
            "TRYAGAIN"
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
    pub(super) fn is_of_a_changing_cluster(&self) -> bool {
        matches!(&*self.code, "TRYAGAIN" | "CLUSTERDOWN")
    }

    /// Whether it passes by itself, or by what others do to Redis.
    pub(super) fn passes(&self) -> bool {
        PASSING.iter().any(|(code, _)| *code == self.code)
    }
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, meaning, line } = self;
        write!(to, "Redis refused: {code}, {meaning}")?;
        line.map_or(Ok(()), |line| write!(to, " (line {line} of the script)"))
    }
}
