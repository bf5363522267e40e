//! The variables that limit what a person may do.

use crate::config::number::Number;
use crate::config::problem::ConfigProblem;
use crate::config::values::Values;
use crate::domain::quota::Quota;
use std::num::NonZeroU64;
use std::time::Duration;

pub(super) const SEND_LIMIT: Number = Number {
    name: "send_limit",
    default: 0,
    bounds: 0..=10_000,
    meaning: "How many messages a person may send per send_window_s, if auth is required; 0 is no limit",
};

pub(super) const SEND_WINDOW_S: Number = Number {
    name: "send_window_s",
    default: 10,
    bounds: 1..=24 * 60 * 60,
    meaning: "In how many seconds a person may send send_limit messages",
};

pub(super) const STREAM_LIMIT: Number = Number {
    name: "stream_limit",
    default: 20,
    bounds: 0..=10_000,
    meaning: "How many streams and waiting pulls a person may have at once, if auth is required; 0 is no limit",
};

/// How many messages a person may send; `None` for any number. Fails if there is a limit and a sender is whatever a client says: anybody
/// could silence others.
pub(super) fn send_quota(values: &Values, callers_are_known: bool) -> Result<Option<Quota>, ConfigProblem> {
    let limit = NonZeroU64::new(SEND_LIMIT.read(values)?);
    if limit.is_some() && !callers_are_known {
        let why = "is set, so the variable auth must be required";
        return Err(ConfigProblem::new(SEND_LIMIT.name, why));
    }
    let window = Duration::from_secs(SEND_WINDOW_S.read(values)?);
    Ok(limit.map(|limit| Quota::new(limit, window)))
}
