//! The form of a token: header, claims and signature, each base64url, with a dot between them (RFC 7515, section 7.1).

use crate::config::auth::crypto::{Algorithm, Verifier};
use crate::domain::refusal::Refusal;
use crate::identity::claims::Claims;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// A token that has the right form. Nothing proves yet what it says.
pub(super) struct Token<'a> {
    /// What it says of itself.
    pub(super) header: Header,
    claims: &'a str,
    /// What is signed.
    message: &'a str,
    signature: Vec<u8>,
}

/// The fields of a header that confab reads.
#[derive(Deserialize)]
pub(super) struct Header {
    alg: String,
    /// The name of the key.
    pub(super) kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl<'a> Token<'a> {
    /// Takes a token apart.
    pub(super) fn parse(token: &'a str) -> Result<Self, Refusal> {
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(Refusal::Malformed)?;
        Ok(Self {
            header: json(header, Refusal::Header)?,
            claims,
            message,
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::Malformed)?,
        })
    }

    /// What it claims. Only [`Token::is_signed_by`] proves it.
    pub(super) fn claims(&self) -> Result<Claims, Refusal> {
        json(self.claims, Refusal::Claims)
    }

    /// Whether this key made its signature.
    pub(super) fn is_signed_by(&self, key: &Verifier) -> bool {
        key.made(&self.signature, self.message.as_bytes())
    }
}

impl Header {
    /// Whether confab knows what the header asks for. The type is that of a JWT, or of an OAuth 2.0 access token (RFC 9068).
    pub(super) fn is_supported(&self) -> bool {
        let typ = self.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        self.crit.is_none() && matches!(typ, "jwt" | "at+jwt")
    }

    /// The algorithm that it names. `none` is no algorithm.
    pub(super) fn algorithm(&self) -> Result<Algorithm, Refusal> {
        match self.alg.as_str() {
            "HS256" => Ok(Algorithm::Hs256),
            // The name of RFC 8037, and that of RFC 9864.
            "EdDSA" | "Ed25519" => Ok(Algorithm::EdDsa),
            "ES256" => Ok(Algorithm::Es256),
            "RS256" => Ok(Algorithm::Rs256),
            _ => Err(Refusal::Header),
        }
    }
}

/// Reads JSON in base64url, without padding and in its one canonical form. `refusal` is for JSON of another kind.
fn json<T: DeserializeOwned>(part: &str, refusal: Refusal) -> Result<T, Refusal> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)?;
    // Serde would also take an array, its values in the order of the fields.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(refusal);
    }
    serde_json::from_slice(&json).map_err(|why| if why.is_data() { refusal } else { Refusal::Malformed })
}

#[cfg(test)]
mod tests;
