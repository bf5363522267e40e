//! `RateLimit-Policy` and `RateLimit`: how much a caller may do, and how much of it is left (draft-ietf-httpapi-ratelimit-headers-11).

use crate::domain::quota::Allowance;
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue};

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The name of the limit of sends.
pub(super) const SENDS: &str = "sends";

/// Says in the answer to a send how much is left.
pub(super) fn mark(answer: &mut HeaderMap, allowance: &Allowance) {
    let Allowance { quota, left, more_in_s } = allowance;
    let policy = format!("\"{SENDS}\";q={};w={}", quota.limit(), quota.window_s());
    let now = format!("\"{SENDS}\";r={left};t={more_in_s}");
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, now)] {
        // Always: it is numbers and a name of letters.
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::quota::Quota;
    use std::num::NonZeroU64;
    use std::time::Duration;

    #[test]
    fn a_limit_is_a_list_of_one_string_with_parameters() {
        let quota = Quota::new(NonZeroU64::new(30).unwrap(), Duration::from_secs(10));
        let mut answer = HeaderMap::new();
        mark(&mut answer, &quota.allowance(5_000_000));
        assert_eq!(answer["ratelimit-policy"], "\"sends\";q=30;w=10");
        assert_eq!(answer["ratelimit"], "\"sends\";r=15;t=1");
    }
}
