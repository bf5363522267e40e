//! The four signature algorithms that confab knows, and the keys that they verify with.

use hmac::{Hmac, KeyInit, Mac};
use rsa::BoxedUint;
use rsa::signature::Verifier as _;
use sha2::Sha256;

/// The sizes of an RSA modulus, in bits: the least by RFC 7518, and what a request may cost.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// How tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    /// By a secret.
    Hs256,
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256.
    Es256,
    /// RSA with PKCS #1 v1.5.
    Rs256,
}

/// A key, of the one algorithm that it is for: the key decides it, never the token.
pub enum Verifier {
    /// A secret.
    Hs256(Box<Hmac<Sha256>>),
    /// A point of Ed25519.
    EdDsa(Box<ed25519_dalek::VerifyingKey>),
    /// A point of P-256.
    Es256(Box<p256::ecdsa::VerifyingKey>),
    /// A modulus and an exponent of RSA.
    Rs256(Box<rsa::pkcs1v15::VerifyingKey<Sha256>>),
}

impl Verifier {
    /// A secret. HMAC takes one of any length.
    pub(super) fn secret(secret: &[u8]) -> Option<Self> {
        Some(Self::Hs256(Box::new(Hmac::new_from_slice(secret).ok()?)))
    }

    /// A point of Ed25519; `None` if it is none, or one for which a signature of anything can be made.
    pub(super) fn ed25519(point: &[u8]) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(point.try_into().ok()?).ok()?;
        (!key.is_weak()).then(|| Self::EdDsa(Box::new(key)))
    }

    /// A point of P-256; `None` if it is none.
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        let uncompressed = [&[4], x, y].concat();
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed);
        Some(Self::Es256(Box::new(key.ok()?)))
    }

    /// A modulus of 2048 to 4096 bits and an exponent of RSA; `None` if they are no key.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let [n, e] = [modulus, exponent].map(BoxedUint::from_be_slice_vartime);
        let key = rsa::PublicKey::new_with_size_limits(n, e, RSA_BITS).ok()?;
        Some(Self::Rs256(Box::new(rsa::pkcs1v15::VerifyingKey::new(key))))
    }

    /// The algorithm that it is for.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::Hs256,
            Self::EdDsa(_) => Algorithm::EdDsa,
            Self::Es256(_) => Algorithm::Es256,
            Self::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// Whether it made this signature of this message.
    pub fn made(&self, signature: &[u8], message: &[u8]) -> bool {
        let verified = match self {
            // Takes the same time wherever the two differ.
            Self::Hs256(secret) => secret
                .as_ref()
                .clone()
                .chain_update(message)
                .verify_slice(signature)
                .ok(),
            // Strict: it also refuses points of small order, so that a signature is of one key and one message.
            Self::EdDsa(key) => ed25519_dalek::Signature::from_slice(signature)
                .ok()
                .and_then(|signature| key.verify_strict(message, &signature).ok()),
            Self::Es256(key) => p256::ecdsa::Signature::from_slice(signature)
                .ok()
                .and_then(|signature| key.verify(message, &signature).ok()),
            Self::Rs256(key) => rsa::pkcs1v15::Signature::try_from(signature)
                .ok()
                .and_then(|signature| key.verify(message, &signature).ok()),
        };
        verified.is_some()
    }
}

#[cfg(test)]
mod tests;
