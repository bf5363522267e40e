//! The caller's own name for one message.

use crate::domain::error::{Error, Field, Result};

/// The most characters of an idempotency key.
pub const MAX_KEY_CHARS: usize = 255;

/// A caller's name for one message, so that it can send the message again without storing it twice: 1 to [`MAX_KEY_CHARS`]
/// visible ASCII characters. Case matters.
#[derive(Clone, Debug, PartialEq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a key.
    pub fn parse(key: String) -> Result<Self> {
        if (1..=MAX_KEY_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(key))
        } else {
            let reason = format!("must be 1 to {MAX_KEY_CHARS} visible ASCII characters, without spaces");
            Err(Error::invalid(Field::IdempotencyKey, reason))
        }
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii() {
        let longest = "k".repeat(MAX_KEY_CHARS);
        for key in ["k", "8e03978e-40d5-43e8-bc93-6894a57f9324", "{\"}:%~!", &longest] {
            assert_eq!(IdempotencyKey::parse(key.to_owned()).unwrap().as_str(), key);
        }
        let too_long = "k".repeat(MAX_KEY_CHARS + 1);
        for key in ["", " ", "a b", "\t", "\u{7f}", "é", &too_long] {
            let error = IdempotencyKey::parse(key.to_owned()).unwrap_err();
            let named = matches!(
                &error,
                Error::Invalid {
                    field: Some(Field::IdempotencyKey),
                    ..
                }
            );
            assert!(named, "{key:?}: {error:?}");
        }
    }
}
