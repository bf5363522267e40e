//! How many messages a person may send in which time, and how many of them are left.

use std::num::NonZeroU64;
use std::time::Duration;

/// How many messages a person may send in which time: `limit` at once, and one more each `window / limit`.
///
/// So no more than `limit * (1 + time / window)` are sent in any stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    limit: NonZeroU64,
    window: Duration,
}

/// What is left of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The whole of it.
    pub quota: Quota,
    /// How many messages may be sent now.
    pub left: u64,
    /// After how many seconds one more may be sent than now: rounded up, at least 1.
    pub more_in_s: u64,
}

impl Quota {
    /// A quota of `limit` messages per `window`, in whole seconds.
    pub fn new(limit: NonZeroU64, window: Duration) -> Self {
        Self { limit, window }
    }

    /// How many messages may be sent at once.
    pub fn limit(self) -> u64 {
        self.limit.get()
    }

    /// In how many seconds all of them may be sent again.
    pub fn window_s(self) -> u64 {
        self.window.as_secs()
    }

    /// After how many microseconds a message sent counts no longer, rounded up.
    pub fn interval(self) -> u64 {
        self.window
            .as_secs()
            .saturating_mul(1_000_000)
            .div_ceil(self.limit.get())
    }

    /// For how many microseconds `limit` messages count: the window, up to `limit` microseconds longer by rounding.
    pub fn span(self) -> u64 {
        self.interval().saturating_mul(self.limit.get())
    }

    /// What is left if the messages sent so far count for as many microseconds from now.
    pub fn allowance(self, used: u64) -> Allowance {
        let (interval, unused) = (self.interval().max(1), self.span().saturating_sub(used));
        let (left, begun) = (unused.div_euclid(interval), unused.rem_euclid(interval));
        Allowance {
            quota: self,
            left,
            more_in_s: interval.saturating_sub(begun).div_ceil(1_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_grows_by_one_each_interval() {
        for (limit, seconds, used, left, more_in_s) in [
            (30, 10, 0, 30, 1),
            (30, 10, 333_334, 29, 1),
            (30, 10, 333_335, 28, 1),
            (30, 10, 10_000_020, 0, 1),
            (2, 60, 30_000_000, 1, 30),
            (2, 60, 30_000_001, 0, 1),
            (2, 60, 59_000_000, 0, 29),
            (2, 60, 59_000_001, 0, 30),
            (2, 60, 60_000_000, 0, 30),
            // More than there is, as after a clock that was set back.
            (2, 60, u64::MAX, 0, 30),
            (10_000, 1, 100, 9_999, 1),
            (1, 86_400, 86_400_000_000, 0, 86_400),
        ] {
            let quota = Quota::new(NonZeroU64::new(limit).unwrap(), Duration::from_secs(seconds));
            let allowance = quota.allowance(used);
            assert_eq!(
                (allowance.left, allowance.more_in_s),
                (left, more_in_s),
                "{limit} in {seconds} s, {used} used"
            );
        }
    }

    #[test]
    fn a_quota_is_no_longer_than_its_window_but_for_rounding() {
        for limit in [1, 3, 7, 30, 9_999, 10_000] {
            for seconds in [1, 10, 86_400] {
                let quota = Quota::new(NonZeroU64::new(limit).unwrap(), Duration::from_secs(seconds));
                let window = seconds * 1_000_000;
                assert!(
                    (window..window + limit).contains(&quota.span()),
                    "{limit} in {seconds} s"
                );
            }
        }
    }
}
