//! Over 250 lines because the table of forged tokens is one: tokens that prove somebody, and those that prove nobody.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test fails by a panic, and a table is one"
)]

use super::*;
use crate::config::values::Values;
use crate::fuzz::{fuzz, near};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::Duration;

pub(super) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(super) const NOW: u64 = 1_800_000_000;

pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The deployment whose variables have these values.
pub(super) fn auth(others: &[(&'static str, &str)]) -> Auth {
    let values = [&[("auth", "required")], others].concat();
    Auth::read(&Values::with(&values)).unwrap().unwrap()
}

pub(super) fn identity(secret: &str, keys: &str) -> Auth {
    auth(&[("auth_secret", secret), ("auth_keys", keys)])
}

pub(super) fn encoded(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

pub(super) fn hs256(secret: impl AsRef<[u8]>) -> impl Fn(&[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_ref()).unwrap();
    move |message| mac.clone().chain_update(message).finalize().into_bytes().to_vec()
}

pub(super) fn edwards() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[7; 32])
}

pub(super) fn eddsa(message: &[u8]) -> Vec<u8> {
    edwards().sign(message).to_bytes().to_vec()
}

fn es256(message: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap().sign(message);
    signature.to_bytes().to_vec()
}

/// A JWK set of the public keys of [`eddsa`] and [`es256`], each with a `kid` and again without one.
fn public_keys() -> String {
    let point = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let point = point.verifying_key().to_sec1_point(false);
    let (x, y) = (encoded(point.x().unwrap()), encoded(point.y().unwrap()));
    let edwards = encoded(edwards().verifying_key().to_bytes());
    json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": edwards },
        { "kty": "OKP", "crv": "Ed25519", "x": edwards },
        { "kty": "EC", "crv": "P-256", "kid": "ec", "x": x, "y": y },
        { "kty": "EC", "crv": "P-256", "x": x, "y": y },
    ] })
    .to_string()
}

/// A token with this header and these claims, as they are written.
pub(super) fn token(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = encoded(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

pub(super) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

pub(super) fn alice(extra: &Value) -> String {
    let mut claims = json!({ "sub": "alice", "exp": NOW + 60 });
    let extra = extra.as_object().unwrap().clone();
    claims.as_object_mut().unwrap().extend(extra);
    claims.to_string()
}

/// Why the deployment with [`SECRET`] and [`public_keys`] refuses a token, if it does.
pub(super) fn refused(token: &str) -> Option<Refusal> {
    verify(&identity(SECRET, &public_keys()), token, at(NOW)).err()
}

#[test]
fn a_token_is_refused_for_each_thing_that_is_wrong_with_it() {
    let hs = |header: &str, claims: &str| token(header, claims, hs256(SECRET));
    let plain = alice(&json!({}));
    let good = hs(HEADER, &plain);
    assert_eq!(refused(&good), None);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let point = edwards().verifying_key().to_bytes();
    // 32 bytes are 43 characters; the last one has two bits that must be 0.
    let last = signature.chars().last().unwrap();
    let other = char::from(u8::try_from(last).unwrap() + 1);
    let uncanonical = format!("{message}.{}{other}", &signature[..42]);
    let huge = alice(&json!({ "x": "x".repeat(5 * 1024) }));
    let typed = |typ: &str| hs(&json!({ "alg": "HS256", "typ": typ }).to_string(), &plain);
    let said = |extra: Value| hs(HEADER, &alice(&extra));
    let none = r#"{"alg":"none"}"#;
    for (name, token, why) in [
        ("alg none", token(none, &plain, |_| Vec::new()), Refusal::Header),
        ("alg none, signed", hs(none, &plain), Refusal::Header),
        ("alg nOnE", hs(r#"{"alg":"nOnE"}"#, &plain), Refusal::Header),
        ("no alg", hs(r#"{"typ":"JWT"}"#, &plain), Refusal::Header),
        (
            "two algs",
            hs(r#"{"alg":"none","alg":"HS256"}"#, &plain),
            Refusal::Header,
        ),
        ("HS512", hs(r#"{"alg":"HS512"}"#, &plain), Refusal::Header),
        (
            "a public key as secret",
            token(HEADER, &plain, hs256(point)),
            Refusal::Signature,
        ),
        (
            "a public JWK set as secret",
            token(HEADER, &plain, hs256(public_keys())),
            Refusal::Signature,
        ),
        (
            "another secret",
            token(HEADER, &plain, hs256("x".repeat(32))),
            Refusal::Signature,
        ),
        (
            "ES256 by an Edwards key",
            token(r#"{"alg":"ES256"}"#, &plain, eddsa),
            Refusal::Signature,
        ),
        (
            "EdDSA by a P-256 key",
            token(r#"{"alg":"EdDSA"}"#, &plain, es256),
            Refusal::Signature,
        ),
        (
            "EdDSA by the kid of another",
            token(r#"{"alg":"EdDSA","kid":"ec"}"#, &plain, eddsa),
            Refusal::Key,
        ),
        (
            "RS256 without such a key",
            hs(r#"{"alg":"RS256"}"#, &plain),
            Refusal::Key,
        ),
        (
            "an unknown kid",
            token(r#"{"alg":"EdDSA","kid":"?"}"#, &plain, eddsa),
            Refusal::Key,
        ),
        (
            "an empty kid",
            token(r#"{"alg":"EdDSA","kid":""}"#, &plain, eddsa),
            Refusal::Key,
        ),
        (
            "a kid for a secret",
            hs(r#"{"alg":"HS256","kid":"ed"}"#, &plain),
            Refusal::Key,
        ),
        ("crit", hs(r#"{"alg":"HS256","crit":["exp"]}"#, &plain), Refusal::Header),
        (
            "empty crit",
            hs(r#"{"alg":"HS256","crit":[]}"#, &plain),
            Refusal::Header,
        ),
        ("another type", typed("dpop+jwt"), Refusal::Header),
        ("a cut signature", good[..good.len() - 3].into(), Refusal::Signature),
        ("no signature", format!("{message}."), Refusal::Signature),
        ("a signature too long", format!("{good}AAAA"), Refusal::Signature),
        ("padding", format!("{good}="), Refusal::Malformed),
        (
            "a last character that is not canonical",
            uncanonical,
            Refusal::Malformed,
        ),
        (
            "base64, not base64url",
            format!("{header}.{claims}.+/{}", &signature[2..]),
            Refusal::Malformed,
        ),
        ("a space", format!("{good} "), Refusal::Malformed),
        ("two parts", message.into(), Refusal::Malformed),
        ("four parts", format!("{good}.x"), Refusal::Malformed),
        ("nothing", String::new(), Refusal::Malformed),
        (
            "other claims",
            format!("{header}.{}.{signature}", encoded(alice(&json!({ "sub": "bob" })))),
            Refusal::Signature,
        ),
        ("no object", hs(HEADER, "[]"), Refusal::Claims),
        ("no JSON", hs(HEADER, "{"), Refusal::Malformed),
        (
            "JSON and more",
            hs(HEADER, &format!("{plain}{plain}")),
            Refusal::Malformed,
        ),
        (
            "two subs",
            hs(HEADER, r#"{"sub":"bob","sub":"alice","exp":1800000060}"#),
            Refusal::Claims,
        ),
        (
            "two exps",
            hs(HEADER, r#"{"sub":"alice","exp":1,"exp":1800000060}"#),
            Refusal::Claims,
        ),
        (
            "two scopes",
            hs(HEADER, r#"{"sub":"a","exp":1800000060,"scope":"","scope":"x"}"#),
            Refusal::Claims,
        ),
        ("exp as a string", said(json!({ "exp": "1800000060" })), Refusal::Claims),
        ("exp null", said(json!({ "exp": null })), Refusal::Claims),
        ("no exp", hs(HEADER, r#"{"sub":"alice"}"#), Refusal::Claims),
        ("exp below 0", said(json!({ "exp": -1 })), Refusal::Claims),
        ("exp beyond all clocks", said(json!({ "exp": 1e30 })), Refusal::Claims),
        (
            "exp at the end of the leeway",
            said(json!({ "exp": NOW - 30 })),
            Refusal::Expired,
        ),
        ("exp 0", said(json!({ "exp": 0 })), Refusal::Expired),
        (
            "nbf beyond the leeway",
            said(json!({ "nbf": NOW + 31 })),
            Refusal::Early,
        ),
        ("nbf as a string", said(json!({ "nbf": "0" })), Refusal::Claims),
        (
            "an aud that nobody expects",
            said(json!({ "aud": "confab" })),
            Refusal::Audience,
        ),
        (
            "a list of auds that nobody expects",
            said(json!({ "aud": [] })),
            Refusal::Audience,
        ),
        ("aud as a number", said(json!({ "aud": 5 })), Refusal::Claims),
        ("no sub", hs(HEADER, r#"{"exp":1800000060}"#), Refusal::Claims),
        ("sub as a number", said(json!({ "sub": 7 })), Refusal::Claims),
        (
            "sub with a colon",
            said(json!({ "sub": "alice:bob" })),
            Refusal::Subject,
        ),
        ("an empty sub", said(json!({ "sub": "" })), Refusal::Subject),
        ("a long sub", said(json!({ "sub": "x".repeat(65) })), Refusal::Subject),
        ("a chat of one", said(json!({ "chat": "alice" })), Refusal::Chat),
        ("scope as a number", said(json!({ "scope": 5 })), Refusal::Claims),
        (
            "scope as a list of lists",
            said(json!({ "scope": [["confab:service"]] })),
            Refusal::Claims,
        ),
        ("5 KiB", hs(HEADER, &huge), Refusal::Malformed),
    ] {
        assert_eq!(refused(&token), Some(why), "{name}: {token}");
    }
    for (name, token) in [
        ("at+jwt", typed("at+jwt")),
        ("JWT with its prefix", typed("application/JWT")),
        ("EdDSA", token(r#"{"alg":"EdDSA"}"#, &plain, eddsa)),
        ("ES256 by kid", token(r#"{"alg":"ES256","kid":"ec"}"#, &plain, es256)),
        ("exp within the leeway", said(json!({ "exp": NOW - 29 }))),
        ("exp with a fraction", said(json!({ "exp": 1_800_000_000.5 }))),
        ("nbf within the leeway", said(json!({ "nbf": NOW + 30 }))),
        ("an iss that nobody asks for", said(json!({ "iss": "x" }))),
        (
            "a jwk and a jku of its own, which nobody follows",
            hs(r#"{"alg":"HS256","jku":"http://x"}"#, &plain),
        ),
    ] {
        assert_eq!(refused(&token), None, "{name}: {token}");
    }
}

#[test]
fn fuzz_tokens() {
    let identity = identity(SECRET, &public_keys());
    let parts = near(&[
        HEADER,
        r#"{"sub":"alice","exp":1800000060,"nbf":1,"chat":"alice:bob","scope":"confab:service"}"#,
    ]);
    let whole = near(&["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwiZXhwIjoxOH0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"]);
    fuzz("tokens", &(parts.clone(), parts, whole), |(header, claims, whole)| {
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let signed = format!("{message}.{}", encoded(hs256(SECRET)(message.as_bytes())));
        if let Ok(caller) = verify(&identity, &signed, at(NOW)) {
            assert!(caller.name().is_some_and(|name| !name.is_empty()) && caller.ends() > Some(at(NOW)));
        }
        // What nobody signed is never accepted.
        let forged = format!("{message}.{}", encoded(hs256("x".repeat(32))(message.as_bytes())));
        assert!(verify(&identity, &forged, at(NOW)).is_err());
        assert!(verify(&identity, &String::from_utf8_lossy(&whole), at(NOW)).is_err());
    });
}
