//! Who a token is from: a JSON Web Token (RFC 7519) becomes a [`Caller`]. It knows neither HTTP nor Redis.

mod claims;
#[cfg(test)]
mod tests;
mod token;

use crate::config::auth::Auth;
use crate::domain::caller::Caller;
use crate::domain::refusal::Refusal;
use std::time::SystemTime;
use token::Token;

/// The longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// The caller whom this token proves at the time `now`: a key of the deployment made its signature, over claims that are for this
/// deployment and this time.
pub fn verify(auth: &Auth, token: &str, now: SystemTime) -> Result<Caller, Refusal> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Refusal::Malformed);
    }
    let token = Token::parse(token)?;
    if !token.header.is_supported() {
        return Err(Refusal::Header);
    }
    let algorithm = token.header.algorithm()?;
    let mut keys = auth.candidates(algorithm, token.header.kid.as_deref()).peekable();
    if keys.peek().is_none() {
        return Err(Refusal::Key);
    }
    // A signature is the dear part: a token that would be refused in any case must not cost one.
    let caller = token.claims()?.caller(auth, now)?;
    if keys.any(|key| token.is_signed_by(key)) {
        Ok(caller)
    } else {
        Err(Refusal::Signature)
    }
}
