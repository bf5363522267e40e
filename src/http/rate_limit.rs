//! `RateLimit-Policy` and `RateLimit`: how much a caller may do, and how much of it is left (draft-ietf-httpapi-ratelimit-headers-11).

use crate::domain::error::Error;
use crate::domain::quota::Allowance;
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue};

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

const RETRY_AFTER: HeaderName = HeaderName::from_static("retry-after");

/// The name of the limit of sends.
const SENDS: &str = "sends";

/// The name of the limit of streams.
const STREAMS: &str = "streams";

/// The name of the limit that the caller has reached, if the error is that.
pub(super) fn reached(error: &Error) -> Option<&'static str> {
    match error {
        Error::TooManySends(_) => Some(SENDS),
        Error::TooManyStreams { .. } => Some(STREAMS),
        _ => None,
    }
}

/// Says in the answer to this error, if it is about a limit, what the limit is and when to come back.
pub(super) fn mark_refusal(answer: &mut HeaderMap, error: &Error) {
    let seconds = match error {
        Error::TooManySends(allowance) => {
            mark(answer, allowance);
            allowance.more_in_s
        }
        Error::TooManyStreams { limit, retry_after_s } => {
            let policy = format!("\"{STREAMS}\";q={limit};qu=\"concurrent-requests\"");
            insert(answer, policy, format!("\"{STREAMS}\";r=0"));
            *retry_after_s
        }
        _ => return,
    };
    answer.insert(RETRY_AFTER, HeaderValue::from(seconds));
}

/// Says in the answer to a send how much is left.
pub(super) fn mark(answer: &mut HeaderMap, allowance: &Allowance) {
    let Allowance { quota, left, more_in_s } = allowance;
    let policy = format!("\"{SENDS}\";q={};w={}", quota.limit(), quota.window_s());
    insert(answer, policy, format!("\"{SENDS}\";r={left};t={more_in_s}"));
}

fn insert(answer: &mut HeaderMap, policy: String, now: String) {
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, now)] {
        // Always: it is numbers and words of letters.
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
