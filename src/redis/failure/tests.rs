//! Every text of the host, in the words of the library that Spin has, and what becomes of it.

use super::*;

fn failure(text: &str) -> Failure {
    Failure::from(redis::Error::Other(text.into()))
}

/// The host's text, the code, the status, and whether another Redis may accept.
const REFUSALS: &[(&str, &str, u16, bool)] = &[
    (
        "OOM: command not allowed when used memory > 'maxmemory'.",
        "OOM",
        503,
        false,
    ),
    (
        "MISCONF: Redis is configured to save RDB snapshots",
        "MISCONF",
        503,
        false,
    ),
    (
        "NOREPLICAS: Not enough good replicas to write.",
        "NOREPLICAS",
        503,
        false,
    ),
    ("BUSY: Redis is busy running a script.", "BUSY", 503, false),
    (
        "UNBLOCKED: force unblock from blocking operation",
        "UNBLOCKED",
        503,
        true,
    ),
    (
        "{}ReadOnly: You can't write against a read only replica.",
        "READONLY",
        503,
        true,
    ),
    (
        "{}BusyLoadingError: Redis is loading the dataset in memory",
        "LOADING",
        503,
        true,
    ),
    ("{}MasterDown: Link with MASTER is down", "MASTERDOWN", 503, true),
    ("{}ClusterDown: Hash slot not served", "CLUSTERDOWN", 503, false),
    (
        "{}TryAgain: Multiple keys request during rehashing of slot",
        "TRYAGAIN",
        503,
        false,
    ),
    ("{}Moved: 3999 secret", "MOVED", 503, false),
    ("{}Ask: 3999 secret", "ASK", 503, false),
    (
        "{}CrossSlot: Keys in request don't hash to the same slot",
        "CROSSSLOT",
        500,
        false,
    ),
    (
        "NOPERM: User secret has no permissions to run the 'evalsha' command",
        "NOPERM",
        500,
        false,
    ),
    ("NOAUTH: Authentication required.", "NOAUTH", 500, false),
    (
        "Password authentication failed- AuthenticationFailed",
        "WRONGPASS",
        500,
        false,
    ),
    (
        "WRONGTYPE: Operation against a key holding the wrong kind of value",
        "WRONGTYPE",
        500,
        false,
    ),
    (
        "{}ResponseError: unknown command 'EVALSHA', with args beginning with: 'secret'",
        "ERR, it does not know",
        500,
        false,
    ),
    (
        "{}ResponseError: wrong number of arguments for 'xread' command",
        "ERR, the command has",
        500,
        false,
    ),
    (
        "{}ResponseError: The user executing the script can't run this command or subcommand script: f1d2, on @user_script:36.",
        "ERR, its user may not run a command of the script (line 36 of",
        500,
        false,
    ),
    (
        "{}ResponseError: ACL failure in script: secret",
        "ERR, its user may not",
        500,
        false,
    ),
    (
        "{}ResponseError: Script attempted to access a non local key in a cluster node script: f1d2, on @user_script:36.",
        "TRYAGAIN, its Cluster is moving the keys (line 36 of",
        503,
        false,
    ),
    ("{}ResponseError: secret", "ERR, for a reason of its own", 500, false),
    ("NEWCODE: secret", "NEWCODE, for a reason of its own", 500, false),
];

#[test]
fn what_redis_said_is_refused_and_its_words_are_kept_to_itself() {
    for (text, code, status, again) in REFUSALS.iter().copied() {
        let text = text.replace("{}", "An error was signalled by the server - ");
        let failure = failure(&text);
        assert!(matches!(failure, Failure::Refused(_)), "{text}: {failure:?}");
        assert_eq!(failure.ends_with_the_connection(), again, "{text}");
        let error = failure.error(Stored::No);
        let is_503 = matches!(error, Error::Unavailable { .. });
        assert_eq!(is_503, status == 503, "{text}: {error:?}");
        let logged = error.to_string();
        assert!(logged.contains(&format!("Redis refused: {code}")), "{text}: {logged}");
        assert!(!logged.contains("secret") && !logged.contains('\''), "{logged}");
    }
    let unknown = failure("An error was signalled by the server - NoScriptError: No matching script.");
    assert!(matches!(unknown, Failure::Refused(reply) if reply.is_unknown_script()));
}

#[test]
fn a_redirect_has_an_address_and_its_cluster_is_changing() {
    let redirect = Redirect::parse("3999 127.0.0.1:6381").unwrap();
    let of = |name: &str| {
        failure(&format!(
            "An error was signalled by the server - {name}: 3999 127.0.0.1:6381"
        ))
    };
    assert_eq!(of("Moved"), Failure::Moved(redirect.clone()));
    assert_eq!(of("Ask"), Failure::Ask(redirect));
    for text in [
        "Moved: 3999 127.0.0.1:6381",
        "TryAgain: Multiple keys",
        "ClusterDown: x",
    ] {
        let failure = failure(&format!("An error was signalled by the server - {text}"));
        assert!(failure.ends_with_a_change_of_the_cluster() && !failure.ends_with_the_connection());
        assert!(matches!(
            failure.error(Stored::No),
            Error::Unavailable { stored: Stored::No, .. }
        ));
    }
    let node = Failure::Address(Some("10.0.0.1:6379".into()))
        .error(Stored::No)
        .to_string();
    assert!(node.contains("redis_nodes does not allow 10.0.0.1:6379"), "{node}");
}

#[test]
fn what_redis_did_not_say_is_the_connection_or_the_data() {
    for text in [
        "Broken pipe (os error 32)",
        "Connection refused (os error 111)",
        "timed out",
        "failed to lookup address information: Name or service not known",
        "Multiplexed connection driver unexpectedly terminated- IoError",
        "Could not connect - IoError: secret: x",
    ] {
        let failure = failure(text);
        assert_eq!(failure, Failure::Transport(text.into()));
        assert!(failure.ends_with_the_connection());
    }
    for (text, why) in [
        (
            "An error was signalled by the server - ResponseError: max number of clients reached",
            "maxclients",
        ),
        (
            "An error was signalled by the server - ResponseError: max number of clients + cluster connections reached",
            "maxclients",
        ),
        ("parse error - ParseError: unexpected secret", "is not one of Redis"),
    ] {
        let Failure::Transport(cause) = failure(text) else {
            panic!("{text}");
        };
        assert!(cause.contains(why) && !cause.contains("secret"), "{cause}");
    }
    for text in [
        "Could not convert Redis response - TypeError: Redis Map type is not supported",
        "query result exceeds limit of 10 bytes",
    ] {
        assert_eq!(failure(text), Failure::Data, "{text}");
    }
    assert_eq!(Failure::from(redis::Error::TypeError), Failure::Data);
    assert_eq!(Failure::from(redis::Error::InvalidAddress), Failure::Address(None));
    let limit = Failure::from(redis::Error::TooManyConnections);
    assert_eq!(limit, Failure::HostLimit);
    let limit = limit.error(Stored::No).to_string();
    assert!(limit.contains("the host allows no more connections"), "{limit}");
}
