//! The secrets that an app's backend signs its tokens with.

use crate::config::auth::crypto::Verifier;
use crate::config::problem::ConfigProblem;
use std::ops::RangeInclusive;

/// How many secrets there may be at once: the old and the new one, while keys rotate, and some more.
const SECRETS: RangeInclusive<usize> = 1..=4;

/// The length of a secret, in bytes. RFC 7518 asks for 256 bits.
const BYTES: RangeInclusive<usize> = 32..=512;

/// Parses the value of `auth_secret`: 1 to 4 secrets of 32 to 512 visible ASCII characters, with spaces between them.
pub(super) fn parse(value: &str) -> Result<Vec<Verifier>, ConfigProblem> {
    let problem = |reason| Err(ConfigProblem::new("auth_secret", reason));
    // A public key that serves as a secret is known to everybody.
    if value.contains("-----BEGIN") {
        return problem("must not be a key in PEM: public keys go into auth_keys");
    }
    let secrets: Vec<&str> = value.split(' ').filter(|secret| !secret.is_empty()).collect();
    if !SECRETS.contains(&secrets.len()) {
        return problem("must have 1 to 4 secrets, with spaces between them");
    }
    let good = |secret: &&str| BYTES.contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic());
    if !secrets.iter().all(good) {
        return problem("must have secrets of 32 to 512 visible ASCII characters each");
    }
    let verifiers = secrets.into_iter().map(|secret| Verifier::secret(secret.as_bytes()));
    verifiers
        .collect::<Option<_>>()
        .map_or_else(|| problem("must have secrets for HMAC"), Ok)
}
