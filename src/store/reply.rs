//! What scripts reply, and the stored data that they could not read.

use crate::domain::error::Error;
use spin_sdk::redis::RedisResult;

/// Why stored data, or a script's reply, could not be decoded.
#[derive(Debug, PartialEq)]
pub(super) struct Unreadable(pub(super) String);

impl Unreadable {
    /// The error of a request that met it at this Redis key.
    pub(super) fn at(self, key: &str) -> Error {
        let cause = anyhow::Error::msg(self.0);
        Error::internal(cause.context(format!("the stored data at {key} could not be read")))
    }

    /// What a script replied that could not read the stored data, or else that its reply is of an unknown shape.
    pub(super) fn of_reply(script: &str, reply: &[RedisResult]) -> Self {
        match reply {
            [RedisResult::Binary(word), RedisResult::Binary(why)] if word == b"unreadable" => {
                Self(String::from_utf8_lossy(why).into_owned())
            }
            _ => Self(format!("the reply of {script} has an unknown shape")),
        }
    }
}

/// A number that Redis replied; `None` if it is not one of 0 or above.
pub(super) fn number(value: &RedisResult) -> Option<u64> {
    match value {
        RedisResult::Int64(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// Bytes as text.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Unreadable> {
    str::from_utf8(bytes).map_err(|_| Unreadable("is not UTF-8".into()))
}

/// A reply of these strings, for tests.
#[cfg(test)]
pub(super) fn strings(values: &[&str]) -> Vec<RedisResult> {
    let string = |value: &&str| RedisResult::Binary(value.as_bytes().to_vec());
    values.iter().map(string).collect()
}
