//! Notices if Redis's clock is ahead of the host's.

use crate::server_log;
use crate::store::keys;
use std::cell::Cell;
use std::time::Duration;

/// How far a send time may be ahead of the host's clock without a word.
const MOST_AHEAD: Duration = Duration::from_mins(1);

/// Writes one line per instance to the server log if a message is sent in the future: its chat keeps such times until they have come.
pub(super) fn compare_clocks(log: &str, send_time: Duration, now: Duration) {
    thread_local! {
        static REPORTED: Cell<bool> = const { Cell::new(false) };
    }
    let ahead = send_time.saturating_sub(now);
    if ahead > MOST_AHEAD && !REPORTED.replace(true) {
        let seconds = ahead.as_secs();
        let cause =
            format!("{log} has a send_time {seconds} s ahead of this host's clock: Redis's clock is or was ahead");
        server_log::noticed("clock-ahead", &keys::without_names(&cause));
    }
}
