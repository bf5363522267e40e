//! `RateLimit-Policy` and `RateLimit`: how much a caller may do, and how much of it is left (draft-ietf-httpapi-ratelimit-headers-11).

use crate::domain::quota::Allowance;
use spin_sdk::http::{HeaderName, HeaderValue};

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The name of the limit of sends.
pub(super) const SENDS: &str = "sends";

/// Both headers of the answer to a send.
pub(super) fn of(allowance: &Allowance) -> [(HeaderName, HeaderValue); 2] {
    let Allowance { quota, left, more_in_s } = allowance;
    let policy = format!("\"{SENDS}\";q={};w={}", quota.limit(), quota.window_s());
    let now = format!("\"{SENDS}\";r={left};t={more_in_s}");
    [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, now)].map(|(name, value)| {
        // Numbers and a name of letters.
        let value = HeaderValue::from_str(&value);
        (name, value.unwrap_or_else(|_| HeaderValue::from_static("")))
    })
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
        let values = of(&quota.allowance(5_000_000)).map(|(_, value)| value);
        assert_eq!(values, ["\"sends\";q=30;w=10", "\"sends\";r=15;t=1"]);
    }
}
