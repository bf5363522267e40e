//! Who may call: the variables of identity, which a deployment that is open does not have.

pub mod crypto;
pub mod keys;
mod secrets;
#[cfg(test)]
mod tests;

use crate::config::problem::ConfigProblem;
use crate::config::text::{AUTH, AUTH_AUDIENCE, AUTH_ISSUER, AUTH_KEYS, AUTH_SECRET, Text};
use crate::config::values::Values;
use crypto::{Algorithm, Verifier};
use keys::Key;

/// Whose tokens a deployment accepts.
pub struct Auth {
    secrets: Vec<Verifier>,
    keys: Vec<Key>,
    /// For whom tokens must be; `None` if they must not name an audience.
    pub audience: Option<String>,
    /// Who must have issued them; `None` for anybody.
    pub issuer: Option<String>,
}

impl Auth {
    /// Reads the variables; `None` if the deployment is open. Fails if one of them cannot be used, or if they contradict each other: a
    /// misspelt name must not open a deployment.
    pub(crate) fn read(values: &Values) -> Result<Option<Self>, ConfigProblem> {
        let of = |name| values.get(name).map(|value| (!value.is_empty()).then_some(value));
        match values.get(AUTH.name)? {
            "required" => {}
            "open" => {
                for Text { name, .. } in [&AUTH_SECRET, &AUTH_KEYS, &AUTH_AUDIENCE, &AUTH_ISSUER] {
                    if of(name)?.is_some() {
                        return Err(ConfigProblem::new(
                            name,
                            "is set, so the variable auth must be required",
                        ));
                    }
                }
                return Ok(None);
            }
            _ => return Err(ConfigProblem::new(AUTH.name, "must be open or required")),
        }
        let (secrets, keys) = (of(AUTH_SECRET.name)?, of(AUTH_KEYS.name)?);
        if secrets.is_none() && keys.is_none() {
            let reason = "is required, so the variable auth_secret or auth_keys must be set";
            return Err(ConfigProblem::new(AUTH.name, reason));
        }
        Ok(Some(Self {
            secrets: secrets.map_or(Ok(Vec::new()), secrets::parse)?,
            keys: keys.map_or(Ok(Vec::new()), keys::parse)?,
            audience: of(AUTH_AUDIENCE.name)?.map(str::to_owned),
            issuer: of(AUTH_ISSUER.name)?.map(str::to_owned),
        }))
    }

    /// The keys that may have made a token of this algorithm: the one with its `kid`, or those without a `kid` if it has none. No secret
    /// has one.
    pub fn candidates(&self, algorithm: Algorithm, kid: Option<&str>) -> impl Iterator<Item = &Verifier> {
        let by_secret = algorithm == Algorithm::Hs256 && kid.is_none();
        let secrets = self.secrets.iter().filter(move |_| by_secret);
        let keys = self.keys.iter().filter(move |key| key.is(algorithm, kid));
        secrets.chain(keys.map(|key| &key.verifier))
    }
}
