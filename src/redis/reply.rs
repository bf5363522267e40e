//! The values of a reply.

use spin_sdk::redis::RedisResult;

/// A number that Redis replied; `None` if it is not one of 0 or above.
pub fn number(value: &RedisResult) -> Option<u64> {
    match value {
        RedisResult::Int64(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// A reply of these texts, for tests.
#[cfg(test)]
pub fn texts(values: &[&str]) -> Vec<RedisResult> {
    let text = |value: &&str| RedisResult::Binary(value.as_bytes().to_vec());
    values.iter().map(text).collect()
}
