//! Who a token is from: a JSON Web Token (RFC 7519) becomes a [`Caller`]. It knows neither HTTP nor Redis.

mod claims;
mod crypto;
mod keys;
mod problem;
mod secrets;
#[cfg(test)]
mod tests;
mod token;

use crate::config::{self, AuthSettings};
use crate::domain::caller::Caller;
use crate::domain::error::{Error, Result};
use crate::domain::refusal::Refusal;
use claims::Expected;
use crypto::{Algorithm, Verifier};
use keys::Key;
pub use problem::ConfigProblem;
use std::cell::OnceCell;
use std::rc::Rc;
use std::time::SystemTime;
use token::Token;

/// The longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// Whose tokens this deployment accepts.
pub struct Identity {
    secrets: Vec<Verifier>,
    keys: Vec<Key>,
    expected: Expected,
}

thread_local! {
    static IDENTITY: OnceCell<Option<Rc<Identity>>> = const { OnceCell::new() };
}

/// Whose tokens this deployment accepts; `None` if it is open. Fails with [`Error::Internal`], which names the variable, if its
/// settings cannot be used.
pub async fn get() -> Result<Option<Rc<Identity>>> {
    if let Some(identity) = IDENTITY.with(|cell| cell.get().cloned()) {
        return Ok(identity);
    }
    let identity = Identity::parse(&config::get().await?.auth).map_err(Error::internal)?;
    let identity = identity.map(Rc::new);
    Ok(IDENTITY.with(|cell| cell.get_or_init(|| identity).clone()))
}

impl Identity {
    /// Reads the settings; `None` if the deployment is open. Fails if one of them cannot be used, or if they contradict each other:
    /// a misspelt name must not open a deployment.
    pub fn parse(settings: &AuthSettings) -> Result<Option<Self>, ConfigProblem> {
        let others = [
            ("auth_secret", &settings.secret),
            ("auth_keys", &settings.keys),
            ("auth_audience", &settings.audience),
            ("auth_issuer", &settings.issuer),
        ];
        match settings.auth.as_str() {
            "required" => {}
            "open" => {
                let set = others.into_iter().find(|(_, value)| !value.is_empty());
                return set.map_or(Ok(None), |(name, _)| {
                    Err(ConfigProblem::new(
                        name,
                        "is set, so the variable auth must be required",
                    ))
                });
            }
            _ => return Err(ConfigProblem::new("auth", "must be open or required")),
        }
        if settings.secret.is_empty() && settings.keys.is_empty() {
            let reason = "is required, so the variable auth_secret or auth_keys must be set";
            return Err(ConfigProblem::new("auth", reason));
        }
        let filled = |value: &String| (!value.is_empty()).then(|| value.clone());
        Ok(Some(Self {
            secrets: filled(&settings.secret).map_or(Ok(Vec::new()), |value| secrets::parse(&value))?,
            keys: filled(&settings.keys).map_or(Ok(Vec::new()), |value| keys::parse(&value))?,
            expected: Expected {
                audience: filled(&settings.audience),
                issuer: filled(&settings.issuer),
            },
        }))
    }

    /// The caller whom this token proves at the time `now`: a key of the deployment made its signature, over claims that are for
    /// this deployment and this time.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Caller, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::Malformed);
        }
        let token = Token::parse(token)?;
        if !token.header.is_supported() {
            return Err(Refusal::Header);
        }
        let algorithm = token.header.algorithm()?;
        let mut refusal = Refusal::Key;
        for key in self.candidates(algorithm, token.header.kid.as_deref()) {
            if token.is_signed_by(key)? {
                return token.claims()?.caller(&self.expected, now);
            }
            refusal = Refusal::Signature;
        }
        Err(refusal)
    }

    /// The keys that may have made a token of this algorithm, and of this `kid` if it has one. A secret has no `kid`.
    fn candidates(&self, algorithm: Algorithm, kid: Option<&str>) -> impl Iterator<Item = &Verifier> {
        let by_secret = algorithm == Algorithm::Hs256 && kid.is_none();
        let secrets = self.secrets.iter().filter(move |_| by_secret);
        let keys = self.keys.iter().filter(move |key| {
            let named = kid.is_none() || kid == key.id.as_deref();
            key.verifier.algorithm() == algorithm && named
        });
        secrets.chain(keys.map(|key| &key.verifier))
    }
}
