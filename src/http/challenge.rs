//! `WWW-Authenticate`: what a request without the right token is to bring (RFC 6750, section 3).

use crate::domain::error::Error;

/// The value of the header in the response to this error, if the error is about tokens.
pub(super) fn of(error: &Error) -> Option<String> {
    let code = match error {
        // A client that sent no token learns only how to send one.
        Error::Unauthenticated(None) => return Some("Bearer realm=\"confab\"".to_owned()),
        Error::Unauthenticated(Some(_)) => "invalid_token",
        Error::TwoTokens => "invalid_request",
        Error::Forbidden { .. } => "insufficient_scope",
        _ => return None,
    };
    // The descriptions are confab's own words, without a quote.
    Some(format!(
        "Bearer realm=\"confab\", error=\"{code}\", error_description=\"{error}\""
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Field;
    use crate::domain::refusal::Refusal;

    #[test]
    fn a_challenge_says_what_was_wrong_with_the_token() {
        let forbidden = Error::Forbidden {
            field: Field::Chat,
            reason: "must be yours",
        };
        for (error, challenge) in [
            (Error::Unauthenticated(None), Some("Bearer realm=\"confab\"")),
            (
                Error::Unauthenticated(Some(Refusal::Expired)),
                Some("Bearer realm=\"confab\", error=\"invalid_token\", error_description=\"the token has expired\""),
            ),
            (
                Error::TwoTokens,
                Some(
                    "Bearer realm=\"confab\", error=\"invalid_request\", error_description=\"the request must have only one token\"",
                ),
            ),
            (
                forbidden,
                Some("Bearer realm=\"confab\", error=\"insufficient_scope\", error_description=\"must be yours\""),
            ),
            (Error::KeyReused, None),
        ] {
            assert_eq!(of(&error).as_deref(), challenge);
        }
    }
}
