use super::*;
use serde_json::{Value, json};

const POINT: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn parsed(keys: &Value) -> Result<Vec<Algorithm>, ConfigProblem> {
    let keys = parse(&json!({ "keys": keys }).to_string())?;
    Ok(keys.into_iter().map(|key| key.verifier.algorithm()).collect())
}

fn edwards(extra: &Value) -> Value {
    let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": POINT });
    let extra = extra.as_object().unwrap().clone();
    key.as_object_mut().unwrap().extend(extra);
    key
}

/// An RSA key of this many bits. That its modulus is no product of two primes does not show.
fn rsa(bits: usize) -> Value {
    let modulus = URL_SAFE_NO_PAD.encode(vec![0xff; bits / 8]);
    json!({ "kty": "RSA", "n": modulus, "e": "AQAB" })
}

#[test]
fn a_key_is_for_one_algorithm() {
    assert_eq!(parsed(&json!([edwards(&json!({}))])), Ok(vec![Algorithm::EdDsa]));
    let named = json!([edwards(
        &json!({ "alg": "Ed25519", "use": "sig", "key_ops": ["verify"] })
    )]);
    assert_eq!(parsed(&named), Ok(vec![Algorithm::EdDsa]));
    for bits in [2048, 4096] {
        assert_eq!(parsed(&json!([rsa(bits)])), Ok(vec![Algorithm::Rs256]), "{bits}");
    }
}

#[test]
fn keys_for_something_else_are_left_out() {
    let other = [
        edwards(&json!({ "use": "enc" })),
        edwards(&json!({ "alg": "ES256" })),
        edwards(&json!({ "key_ops": ["sign"] })),
        json!({ "kty": "OKP", "crv": "X25519", "x": POINT }),
        json!({ "kty": "EC", "crv": "P-384", "x": POINT, "y": POINT }),
        json!({ "kty": "AKP", "pub": "x" }),
    ];
    for other in other {
        assert_eq!(
            parsed(&json!([other, edwards(&json!({}))])),
            Ok(vec![Algorithm::EdDsa]),
            "{other}"
        );
        assert!(parsed(&json!([other])).is_err(), "{other}");
    }
}

#[test]
fn a_private_or_unusable_key_is_refused() {
    let good = edwards(&json!({}));
    for (bad, reason) in [
        (edwards(&json!({ "d": "x" })), "public keys only"),
        (edwards(&json!({ "d": 5, "use": "enc" })), "public keys only"),
        (json!({ "kty": "oct", "k": POINT }), "public keys only"),
        (json!({ "kty": "OKP", "crv": "Ed25519" }), "incomplete"),
        (
            json!({ "kty": "OKP", "crv": "Ed25519", "x": format!("{POINT}=") }),
            "incomplete",
        ),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQAB" }), "unusable"),
        (
            json!({ "kty": "EC", "crv": "P-256", "x": POINT, "y": POINT }),
            "unusable",
        ),
        (json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }), "unusable"),
        (rsa(1024), "unusable"),
        (rsa(4104), "unusable"),
        (json!({ "crv": "Ed25519", "x": POINT }), "kty"),
        (json!("x"), "JWK set"),
    ] {
        let problem = parsed(&json!([good, bad])).unwrap_err();
        assert_eq!(problem.variable, "auth_keys");
        assert!(problem.reason.contains(reason), "{bad}: {problem}");
    }
    let named = |count: u8| {
        json!(
            (0..count)
                .map(|kid| edwards(&json!({ "kid": kid.to_string() })))
                .collect::<Vec<_>>()
        )
    };
    assert!(parsed(&named(16)).is_ok());
    assert!(parsed(&named(17)).is_err());
}

/// A token is tried with two keys at most.
#[test]
fn two_keys_of_a_kind_may_be_without_a_kid_and_none_may_share_one() {
    let (plain, named) = (edwards(&json!({})), |kid: &str| edwards(&json!({ "kid": kid })));
    for good in [
        json!([plain, plain, rsa(2048), rsa(4096)]),
        json!([plain, plain, named("a"), named("b"), named("")]),
        json!([named("a"), { "kty": "RSA", "n": rsa(2048)["n"], "e": "AQAB", "kid": "a" }]),
        json!([plain, plain, edwards(&json!({ "use": "enc" }))]),
    ] {
        assert!(parsed(&good).is_ok(), "{good}");
    }
    for (bad, reason) in [
        (
            json!([plain, plain, plain]),
            "third key of one kind without a kid (its key 2",
        ),
        (json!([rsa(2048), plain, rsa(2048), rsa(4096)]), "third key"),
        (
            json!([named("a"), plain, named("a")]),
            "second key of one kind with the same kid (its key 2",
        ),
    ] {
        let problem = parsed(&bad).unwrap_err();
        assert_eq!(problem.variable, "auth_keys");
        assert!(problem.reason.contains(reason), "{bad}: {problem}");
    }
}
