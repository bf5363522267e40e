//! The public keys of those who issue tokens: a JWK set (RFC 7517).

use crate::config::auth::crypto::{Algorithm, Verifier};
use crate::config::problem::ConfigProblem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The most keys of a set.
const MAX_KEYS: usize = 16;

/// The most keys of one kind without a `kid`, the old and the new one while they rotate: a token without a `kid` is tried with each, and a
/// forged one costs the host all of them.
const MAX_UNNAMED: usize = 2;

/// A public key.
pub struct Key {
    /// Its name, by which a token can choose it.
    pub(super) id: Option<String>,
    /// What verifies with it.
    pub(super) verifier: Verifier,
}

impl Key {
    /// Whether it is for this algorithm and has this `kid`, or none.
    pub(super) fn is(&self, algorithm: Algorithm, kid: Option<&str>) -> bool {
        self.verifier.algorithm() == algorithm && self.id.as_deref() == kid
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: Option<String>,
    crv: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<IgnoredAny>,
}

/// Parses the value of `auth_keys`: a JWK set of 1 to 16 public keys. Keys that are not for signatures of an algorithm that confab
/// knows are left out, as RFC 7517 asks; at least one must remain.
pub(super) fn parse(value: &str) -> Result<Vec<Key>, ConfigProblem> {
    let problem = |reason: String| ConfigProblem::new("auth_keys", reason);
    // What serde says of an error may repeat a value.
    let malformed =
        |why: serde_json::Error| format!("must be a JWK set (line {}, column {})", why.line(), why.column());
    let set: Set = serde_json::from_str(value).map_err(|why| problem(malformed(why)))?;
    if set.keys.len() > MAX_KEYS {
        return Err(problem(format!("must have at most {MAX_KEYS} keys")));
    }
    let mut keys: Vec<Key> = Vec::new();
    for (place, jwk) in set.keys.into_iter().enumerate() {
        let named = |reason: &str| problem(format!("{reason} (its key {place}, counted from 0)"));
        let Some(kind) = jwk.kty.as_deref() else {
            return Err(named("has a key without kty"));
        };
        if jwk.d.is_some() || kind == "oct" {
            return Err(named("must have public keys only; secrets go into auth_secret"));
        }
        let Some(algorithm) = algorithm(kind, &jwk) else {
            continue;
        };
        let verifier = verifier(&jwk, algorithm).map_err(named)?;
        let alike = keys.iter().filter(|key| key.is(algorithm, jwk.kid.as_deref())).count();
        match jwk.kid {
            Some(_) if alike > 0 => return Err(named("has a second key of one kind with the same kid")),
            None if alike >= MAX_UNNAMED => return Err(named("has a third key of one kind without a kid")),
            _ => keys.push(Key { id: jwk.kid, verifier }),
        }
    }
    if keys.is_empty() {
        return Err(problem("must have a key for EdDSA, ES256 or RS256".into()));
    }
    Ok(keys)
}

/// The algorithm that a key is for; `None` if confab does not know it, or if the key is for something else.
fn algorithm(kind: &str, jwk: &Jwk) -> Option<Algorithm> {
    let (algorithm, names) = match (kind, jwk.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => (Algorithm::EdDsa, ["EdDSA", "Ed25519"]),
        ("EC", Some("P-256")) => (Algorithm::Es256, ["ES256"; 2]),
        ("RSA", _) => (Algorithm::Rs256, ["RS256"; 2]),
        _ => return None,
    };
    let same = jwk.alg.as_deref().is_none_or(|alg| names.contains(&alg));
    let signs = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
    let verifies = |operations: &Vec<String>| operations.iter().any(|operation| operation == "verify");
    (same && signs && jwk.key_ops.as_ref().is_none_or(verifies)).then_some(algorithm)
}

/// The key itself. The error says why it is none.
fn verifier(jwk: &Jwk, algorithm: Algorithm) -> Result<Verifier, &'static str> {
    let part = |part: &Option<String>| {
        let decoded = part.as_ref().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        decoded.ok_or("has a key that is incomplete or malformed")
    };
    let verifier = match algorithm {
        Algorithm::EdDsa => Verifier::ed25519(&part(&jwk.x)?),
        Algorithm::Es256 => Verifier::p256(&part(&jwk.x)?, &part(&jwk.y)?),
        Algorithm::Rs256 => Verifier::rsa(&part(&jwk.n)?, &part(&jwk.e)?),
        Algorithm::Hs256 => None,
    };
    verifier.ok_or("has an unusable key")
}

#[cfg(test)]
mod tests;
