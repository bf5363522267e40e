//! The four signature algorithms that confab knows: what `jsonwebtoken` calls in place of its own, which are 500 kB.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use rsa::BoxedUint;
use rsa::signature::Verifier as _;
use sha2::Sha256;

/// The sizes of an RSA modulus, in bits: the least by RFC 7518, and what a request may cost.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes `jsonwebtoken` use the algorithms here. Without it, each of its calls panics.
pub(super) fn install() {
    // The second time it is there already.
    _ = PROVIDER.install_default();
}

/// What verifies signatures of this algorithm by this key. Fails if the key is of another algorithm, or is no key.
pub(super) fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let check = match (algorithm, key.kind()) {
        (Algorithm::HS256, DecodingKeyKind::SecretOrDer(secret)) => Check::Hs256(secret.clone()),
        (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(point)) => {
            let point = point.as_slice().try_into().map_err(|_| ErrorKind::InvalidEddsaKey)?;
            let key = ed25519_dalek::VerifyingKey::from_bytes(point).map_err(|_| ErrorKind::InvalidEddsaKey)?;
            if key.is_weak() {
                return Err(ErrorKind::InvalidEddsaKey.into());
            }
            Check::EdDsa(Box::new(key))
        }
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point);
            Check::Es256(Box::new(key.map_err(|_| ErrorKind::InvalidEcdsaKey)?))
        }
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            let [n, e] = [n, e].map(|number| BoxedUint::from_be_slice_vartime(number));
            let key = rsa::PublicKey::new_with_size_limits(n, e, RSA_BITS);
            let key = key.map_err(|_| ErrorKind::InvalidRsaKey(String::new()))?;
            Check::Rs256(Box::new(rsa::pkcs1v15::VerifyingKey::new(key)))
        }
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    Ok(Box::new(check))
}

enum Check {
    Hs256(Vec<u8>),
    EdDsa(Box<ed25519_dalek::VerifyingKey>),
    Es256(Box<p256::ecdsa::VerifyingKey>),
    Rs256(Box<rsa::pkcs1v15::VerifyingKey<Sha256>>),
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::HS256,
            Self::EdDsa(_) => Algorithm::EdDSA,
            Self::Es256(_) => Algorithm::ES256,
            Self::Rs256(_) => Algorithm::RS256,
        }
    }
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match self {
            Self::Hs256(secret) => Hmac::<Sha256>::new_from_slice(secret)
                .ok()
                // Takes the same time wherever the two differ.
                .and_then(|mac| mac.chain_update(message).verify_slice(signature).ok()),
            // Strict: it also refuses points of small order, so that a signature is of one key and one message.
            Self::EdDsa(key) => ed25519_dalek::Signature::from_slice(signature)
                .ok()
                .and_then(|signature| key.verify_strict(message, &signature).ok()),
            Self::Es256(key) => p256::ecdsa::Signature::from_slice(signature)
                .ok()
                .and_then(|signature| key.verify(message, &signature).ok()),
            Self::Rs256(key) => rsa::pkcs1v15::Signature::try_from(signature.as_slice())
                .ok()
                .and_then(|signature| key.verify(message, &signature).ok()),
        };
        verified.ok_or_else(Error::new)
    }
}

#[cfg(test)]
mod tests;
