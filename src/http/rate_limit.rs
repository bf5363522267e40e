//! `RateLimit-Policy` and `RateLimit`: how much a caller may do, and how much of it is left (draft-ietf-httpapi-ratelimit-headers-11).

use crate::domain::error::Error;
use crate::domain::quota::Allowance;
use crate::http::headers::Headers;

/// The name of the limit of sends.
const SENDS: &str = "sends";

/// The name of the limit of streams.
const STREAMS: &str = "streams";

/// The name of the limit of exports.
const EXPORTS: &str = "exports";

/// The name of the limit that the caller has reached, if the error is that.
pub(super) fn reached(error: &Error) -> Option<&'static str> {
    match error {
        Error::TooManySends(_) => Some(SENDS),
        Error::TooManyStreams { .. } => Some(STREAMS),
        Error::TooManyExports { .. } => Some(EXPORTS),
        _ => None,
    }
}

/// Says in the answer to this error, if it is about a limit, what the limit is and when to come back.
pub(super) fn mark_refusal(answer: &mut Headers, error: &Error) {
    let seconds = match error {
        Error::TooManySends(allowance) => {
            mark(answer, allowance);
            allowance.more_in_s
        }
        Error::TooManyStreams { limit, retry_after_s } | Error::TooManyExports { limit, retry_after_s } => {
            let name = reached(error).unwrap_or_default();
            answer.set(
                "ratelimit-policy",
                format!("\"{name}\";q={limit};qu=\"concurrent-requests\""),
            );
            answer.set("ratelimit", format!("\"{name}\";r=0"));
            *retry_after_s
        }
        _ => return,
    };
    answer.set("retry-after", seconds.to_string());
}

/// Says in the answer to a send how much is left.
pub(super) fn mark(answer: &mut Headers, allowance: &Allowance) {
    let Allowance { quota, left, more_in_s } = allowance;
    let policy = format!("\"{SENDS}\";q={};w={}", quota.limit(), quota.window_s());
    answer.set("ratelimit-policy", policy);
    answer.set("ratelimit", format!("\"{SENDS}\";r={left};t={more_in_s}"));
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
        let mut answer = Headers::default();
        mark(&mut answer, &quota.allowance(5_000_000));
        assert_eq!(answer.get("ratelimit-policy"), Some(&b"\"sends\";q=30;w=10"[..]));
        assert_eq!(answer.get("ratelimit"), Some(&b"\"sends\";r=15;t=1"[..]));
    }
}
