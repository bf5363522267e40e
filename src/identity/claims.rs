//! The claims of a token: what it says of its bearer, and for how long.

use crate::config::auth::Auth;
use crate::domain::caller::{Caller, LEEWAY};
use crate::domain::chat::Chat;
use crate::domain::refusal::Refusal;
use serde::Deserialize;
use std::slice;
use std::time::{Duration, SystemTime};

/// The scope of an app's own backend.
const SERVICE: &str = "confab:service";

/// The claims that confab reads. JSON with one of them twice is refused, and so is a value of another type.
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    aud: Option<Strings>,
    iss: Option<String>,
    chat: Option<String>,
    scope: Option<Strings>,
}

/// What JSON has as one string, or as a list of strings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Strings {
    One(String),
    Several(Vec<String>),
}

impl Strings {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

impl Claims {
    /// The caller that these claims are about. A clock may be wrong by [`LEEWAY`].
    pub(super) fn caller(self, auth: &Auth, now: SystemTime) -> Result<Caller, Refusal> {
        let expires = time(self.exp).ok_or(Refusal::Claims)?;
        let begins = self.nbf.map(|nbf| time(nbf).ok_or(Refusal::Claims)).transpose()?;
        // A token that names an audience is not for one that has no name (RFC 7519, section 4.1.3).
        let is_for = |audience: &String| self.aud.as_ref().is_some_and(|aud| aud.as_slice().contains(audience));
        if !auth.audience.as_ref().map_or(self.aud.is_none(), is_for) {
            return Err(Refusal::Audience);
        }
        if auth.issuer.is_some() && self.iss != auth.issuer {
            return Err(Refusal::Issuer);
        }
        let mut caller = Caller::person(self.sub).map_err(|_| Refusal::Subject)?.until(expires);
        if caller.ends().is_none_or(|ends| ends <= now) {
            return Err(Refusal::Expired);
        }
        let latest = now.checked_add(LEEWAY).ok_or(Refusal::Claims)?;
        if begins.is_some_and(|begins| begins > latest) {
            return Err(Refusal::Early);
        }
        if let Some(chat) = self.chat {
            caller = caller.only_in(Chat::parse(&chat).map_err(|_| Refusal::Chat)?);
        }
        let scopes = self.scope.as_ref().map_or(&[][..], Strings::as_slice);
        if scopes
            .iter()
            .flat_map(|words| words.split(' '))
            .any(|word| word == SERVICE)
        {
            caller = caller.as_service();
        }
        Ok(caller)
    }
}

/// The time of a `NumericDate`: seconds since the Unix epoch, with or without a fraction.
fn time(seconds: f64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

#[cfg(test)]
mod tests;
