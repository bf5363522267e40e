//! What claims make of a caller, and when they are refused.

use super::*;
use crate::identity::tests::{HEADER, NOW, SECRET, alice, at, auth, hs256, identity, refused, token};
use crate::identity::verify;
use serde_json::{Value, json};

#[test]
fn the_claims_become_a_caller() {
    let identity = identity(SECRET, "");
    let caller = |extra| {
        let token = token(HEADER, &alice(&extra), hs256(SECRET));
        verify(&identity, &token, at(NOW)).unwrap()
    };
    let expected = || Caller::person("alice".into()).unwrap().until(at(NOW + 60));
    let chat = Chat::parse("alice:bob").unwrap();
    for nobody in [
        json!("openid confab:services"),
        json!("confab: service"),
        json!([]),
        json!(["confab:", "service"]),
        json!(["openid", "xconfab:service"]),
    ] {
        assert_eq!(caller(json!({ "scope": nobody })), expected(), "{nobody}");
    }
    for service in [
        json!("openid confab:service"),
        json!(["openid", "confab:service"]),
        json!(["openid confab:service"]),
    ] {
        assert_eq!(
            caller(json!({ "scope": service })),
            expected().as_service(),
            "{service}"
        );
    }
    assert_eq!(caller(json!({ "chat": "Bob:alice" })), expected().only_in(chat));
    assert_eq!(caller(json!({})).ends(), Some(at(NOW + 90)));
}

#[test]
fn an_audience_and_an_issuer_are_required_if_they_are_set() {
    let identity = auth(&[
        ("auth_secret", SECRET),
        ("auth_audience", "confab"),
        ("auth_issuer", "https://i"),
    ]);
    for (extra, why) in [
        (json!({ "aud": "confab", "iss": "https://i" }), None),
        (json!({ "aud": ["x", "confab"], "iss": "https://i" }), None),
        (json!({ "iss": "https://i" }), Some(Refusal::Audience)),
        (
            json!({ "aud": "confab.x", "iss": "https://i" }),
            Some(Refusal::Audience),
        ),
        (json!({ "aud": [], "iss": "https://i" }), Some(Refusal::Audience)),
        (
            json!({ "aud": [["confab"]], "iss": "https://i" }),
            Some(Refusal::Claims),
        ),
        (json!({ "aud": "confab" }), Some(Refusal::Issuer)),
        (json!({ "aud": "confab", "iss": "https://i/" }), Some(Refusal::Issuer)),
        (json!({ "aud": "confab", "iss": ["https://i"] }), Some(Refusal::Claims)),
    ] {
        let verified = verify(&identity, &token(HEADER, &alice(&extra), hs256(SECRET)), at(NOW));
        assert_eq!(verified.err(), why, "{extra}");
    }
}

/// What cannot pass in any case costs no signature.
#[test]
fn claims_are_refused_before_the_signature_is_looked_at() {
    let forged = |claims: &Value| token(HEADER, &claims.to_string(), hs256("x".repeat(32)));
    for (claims, why) in [
        (json!({ "sub": "alice", "exp": NOW - 30 }), Refusal::Expired),
        (
            json!({ "sub": "alice", "exp": NOW + 60, "nbf": NOW + 31 }),
            Refusal::Early,
        ),
        (
            json!({ "sub": "alice", "exp": NOW + 60, "aud": "x" }),
            Refusal::Audience,
        ),
        (json!({ "sub": "", "exp": NOW + 60 }), Refusal::Subject),
        (json!({ "sub": "alice", "exp": NOW + 60, "chat": "x" }), Refusal::Chat),
        (json!({ "sub": "alice", "exp": "x" }), Refusal::Claims),
        (json!({ "sub": "alice", "exp": NOW + 60 }), Refusal::Signature),
    ] {
        assert_eq!(refused(&forged(&claims)), Some(why), "{claims}");
    }
    let strict = auth(&[("auth_secret", SECRET), ("auth_issuer", "https://i")]);
    let claims = json!({ "sub": "alice", "exp": NOW + 60, "iss": "x" });
    assert_eq!(verify(&strict, &forged(&claims), at(NOW)).err(), Some(Refusal::Issuer));
}
