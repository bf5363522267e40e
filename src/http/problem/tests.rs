//! Tests of the problems that answer failed requests.

use super::*;
use std::time::Duration;

#[test]
fn only_the_client_s_own_mistakes_are_explained() {
    let secret = || "redis://user:password@host".to_owned();
    let too_large = |field| Error::TooLarge { field, limit: 65_536 };
    for (error, status, detail) in [
        (
            Error::invalid(Field::Text, "must not be empty"),
            400,
            "text must not be empty",
        ),
        (
            too_large(Some(Field::Text)),
            413,
            "text is over the limit of 65536 bytes",
        ),
        (too_large(None), 413, "body is over the limit of 65536 bytes"),
        (Error::SlowBody(Duration::from_secs(10)), 408, "within 10000 ms"),
        (Error::UnsupportedEncoding, 415, "no content encoding"),
        (Error::Unauthenticated(None), 401, "a bearer token is required"),
        (Error::TwoTokens, 400, "only one token"),
        (Error::KeyReused, 422, "was used for another text"),
        (Error::Blocked, 403, "does not take messages"),
        (Error::NotOpen, 403, "has to open it"),
        (Error::NoMessages, 409, "has no messages"),
        (
            Error::Gone {
                epoch: Epoch::new(17),
                index: 5,
            },
            410,
            "from index 5 on",
        ),
        (Error::unavailable(secret(), Stored::NotAsked), 503, "Try again"),
        (Error::OldRedis { version: [6, 2] }, 503, "Redis 6.2 is too old"),
        (Error::internal(secret()), 500, "server log"),
    ] {
        let problem = Problem::from(&error);
        assert_eq!(problem.status, status, "{error:?}");
        assert!(problem.detail.contains(detail), "{}", problem.detail);
        assert!(!String::from_utf8(problem.body()).unwrap().contains("password"));
    }
}

#[test]
fn a_send_that_failed_says_whether_its_message_is_stored() {
    for (stored, member) in [
        (Stored::NotAsked, ""),
        (Stored::No, r#","stored":false"#),
        (Stored::Unknown, r#","stored":null"#),
    ] {
        let body = String::from_utf8(body(&Error::unavailable("why", stored))).unwrap();
        assert!(body.ends_with(&format!(".\"{member}}}")), "{body}");
    }
}
