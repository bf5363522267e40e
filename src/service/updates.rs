//! What the followers of a chat and of an inbox have in common: they read again while Redis is away, until their term is over.

use crate::domain::error::{Error, Result};
use crate::service::term::Term;
use crate::session::Session;
use spin_sdk::time;
use std::time::{Duration, Instant};

/// How long to wait before Redis is asked again after a failure.
const PAUSE: Duration = Duration::from_millis(100);

/// A follower, as [`next`] needs it.
pub(super) trait Updates {
    type Update;

    fn term(&self) -> &Term;

    fn session(&self) -> &Session;

    /// Returns what is new, after a wait of one heartbeat at most.
    async fn read(&mut self) -> Result<Vec<Self::Update>>;
}

/// Waits for updates. Returns an empty list after a silent heartbeat, and `None` once the term is over. Fails with
/// [`Error::Unauthenticated`] once the caller's token is over.
///
/// While Redis is away, it is asked again for as long as `redis_timeout_ms`, and then this fails with [`Error::Unavailable`].
pub(super) async fn next<F: Updates>(follower: &mut F) -> Result<Option<Vec<F::Update>>> {
    let mut failing: Option<Instant> = None;
    while !follower.term().left().is_zero() {
        match follower.read().await {
            Err(error @ Error::Unavailable { .. }) => {
                let since = failing.get_or_insert_with(Instant::now);
                if since.elapsed() >= follower.session().config().redis_timeout {
                    return Err(error);
                }
                time::sleep(PAUSE).await;
            }
            result => return result.map(Some),
        }
    }
    follower.term().end().map(|()| None)
}
