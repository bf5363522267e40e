//! Tokens, as an app's own backend makes them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

/// A secret to sign tokens with.
pub const SECRET: &str = "a-secret-of-the-tests-of-32-bytes";

/// The claims of a person whose token expires so many seconds from now.
pub fn claims(name: &str, seconds: i64) -> Value {
    json!({ "sub": name, "exp": now() + seconds })
}

/// A person's token for an hour, signed with [`SECRET`].
pub fn token(name: &str) -> String {
    hs256(SECRET, &claims(name, 3600))
}

/// The token with these claims, signed with a secret.
pub fn hs256(secret: &str, claims: &Value) -> String {
    signed(&json!({ "alg": "HS256", "typ": "JWT" }), claims, |message| {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.chain_update(message).finalize().into_bytes().to_vec()
    })
}

/// The token with these claims, signed with the key of [`public_keys`].
pub fn eddsa(claims: &Value) -> String {
    signed(&json!({ "alg": "EdDSA", "kid": "tests" }), claims, |message| {
        edwards().sign(message).to_bytes().to_vec()
    })
}

/// The JWK set whose key verifies [`eddsa`].
pub fn public_keys() -> String {
    let point = encoded(edwards().verifying_key().to_bytes());
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "tests", "x": point }] }).to_string()
}

/// The token with this header and these claims, and with the signature that `sign` makes of them.
pub fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature = encoded(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn edwards() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}
