//! How long a stream lasts: its lifetime, or until its caller's token is over.

use crate::domain::caller::Caller;
use crate::domain::error::{Error, Result};
use crate::domain::refusal::Refusal;
use spin_sdk::wasip3::random::random::get_random_u64;
use std::time::{Duration, Instant, SystemTime};

/// The time that a stream has.
pub(super) struct Term {
    began: Instant,
    length: Duration,
    /// Whether it is shorter than the lifetime, as the caller's token is.
    by_token: bool,
}

impl Term {
    /// The term of a stream that begins now, for this caller.
    pub(super) fn new(configured: Duration, caller: &Caller) -> Self {
        let lifetime = lifetime(configured, get_random_u64());
        let known = known_for(caller);
        Self {
            began: Instant::now(),
            length: known.map_or(lifetime, |known| known.min(lifetime)),
            by_token: known.is_some_and(|known| known < lifetime),
        }
    }

    /// When it is over.
    pub(super) fn ends(&self) -> Instant {
        self.began.checked_add(self.length).unwrap_or(self.began)
    }

    /// How much of it is left.
    pub(super) fn left(&self) -> Duration {
        self.length.saturating_sub(self.began.elapsed())
    }

    /// What a stream that is over ends with: [`Error::Unauthenticated`] if that is because of the token.
    pub(super) fn end(&self) -> Result<()> {
        if self.by_token {
            return Err(Error::Unauthenticated(Some(Refusal::Expired)));
        }
        Ok(())
    }
}

/// For how long the caller is known; `None` for ever.
pub(super) fn known_for(caller: &Caller) -> Option<Duration> {
    let ends = caller.ends()?;
    Some(ends.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The configured lifetime less up to a tenth of it, by a random number: followers that began together do not end together.
fn lifetime(configured: Duration, random: u64) -> Duration {
    let permille = u32::try_from(random.checked_rem(101).unwrap_or(0)).unwrap_or(0);
    let less = configured
        .checked_div(1000)
        .unwrap_or_default()
        .saturating_mul(permille);
    configured.saturating_sub(less)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_at_most_a_tenth_shorter_than_configured() {
        for (random, milliseconds) in [(0, 300_000), (100, 270_000), (101, 300_000)] {
            let lifetime = lifetime(Duration::from_mins(5), random).as_millis();
            assert_eq!(lifetime, milliseconds, "{random}");
        }
    }
}
