//! Which keys a token is tried with.

use crate::domain::caller::Caller;
use crate::domain::refusal::Refusal;
use crate::identity::tests::{HEADER, NOW, alice, at, auth, eddsa, edwards, encoded, hs256, identity, token};
use crate::identity::verify;
use serde_json::{Value, json};

/// An Edwards key of another owner than [`eddsa`]'s.
fn other_key() -> Value {
    let key = ed25519_dalek::SigningKey::from_bytes(&[8; 32]).verifying_key();
    json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(key.to_bytes()) })
}

fn own_key() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(edwards().verifying_key().to_bytes()) })
}

fn named(mut key: Value, kid: &str) -> Value {
    key["kid"] = json!(kid);
    key
}

#[test]
fn a_token_is_tried_with_the_key_of_its_kid_or_with_those_that_have_none() {
    let (own, other) = (own_key(), other_key());
    let with_kid = |kid: &str| json!({ "alg": "EdDSA", "kid": kid }).to_string();
    let without = r#"{"alg":"EdDSA"}"#.to_owned();
    for (keys, header, refusal) in [
        // Two without a kid rotate.
        (json!([own]), &without, None),
        (json!([own, other]), &without, None),
        (json!([other, own]), &without, None),
        (json!([other, other]), &without, Some(Refusal::Signature)),
        // One with a kid is for tokens with it alone, and they for it.
        (json!([named(own.clone(), "a"), other]), &with_kid("a"), None),
        (json!([named(own.clone(), "a")]), &without, Some(Refusal::Key)),
        (
            json!([named(own.clone(), "a"), other]),
            &without,
            Some(Refusal::Signature),
        ),
        (json!([own]), &with_kid("a"), Some(Refusal::Key)),
        (
            json!([named(other.clone(), "a"), named(own.clone(), "b"), own]),
            &with_kid("a"),
            Some(Refusal::Signature),
        ),
    ] {
        let auth = auth(&[("auth_keys", &json!({ "keys": keys }).to_string())]);
        let verified = verify(&auth, &token(header, &alice(&json!({})), eddsa), at(NOW));
        assert_eq!(verified.err(), refusal, "{header} {keys}");
    }
}

#[test]
fn keys_rotate() {
    let (old, new) = ("o".repeat(32), "n".repeat(32));
    let signed = |secret: &str| token(HEADER, &alice(&json!({})), hs256(secret));
    for (secrets, accepted) in [
        (old.clone(), [true, false]),
        (format!("{old} {new}"), [true, true]),
        (format!("{new} {old}"), [true, true]),
        (new.clone(), [false, true]),
    ] {
        let identity = identity(&secrets, "");
        let verified = [&old, &new].map(|secret| verify(&identity, &signed(secret), at(NOW)).is_ok());
        assert_eq!(verified, accepted, "{secrets}");
    }
}

#[test]
fn tokens_of_another_implementation_are_accepted() {
    let made: Value = serde_json::from_str(include_str!("../pyjwt.json")).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let mut keys = made["keys"]["keys"].as_array().unwrap().clone();
    let unnamed = keys.clone().into_iter().map(|mut key| {
        key.as_object_mut().unwrap().remove("kid");
        key
    });
    keys.extend(unnamed);
    let identity = auth(&[
        ("auth_secret", &text("secret")),
        ("auth_keys", &json!({ "keys": keys }).to_string()),
        ("auth_audience", &text("audience")),
        ("auth_issuer", &text("issuer")),
    ]);
    let now = at(made["now"].as_u64().unwrap());
    for (name, token) in made["tokens"].as_object().unwrap() {
        let caller = verify(&identity, token.as_str().unwrap(), now);
        assert_eq!(caller.as_ref().map(Caller::name), Ok(Some("alice")), "{name}");
    }
}
