//! How many streams and waiting pulls a person may have at once.

use crate::domain::caller::Caller;
use crate::domain::error::Result;
use crate::session::Session;
use crate::store::Lease;

/// Takes a lease for a stream or a pull that waits; `None` if the caller is not limited. Fails with
/// [`Error::TooManyStreams`](crate::domain::error::Error::TooManyStreams) if the caller has as many as are allowed.
pub(super) async fn lease(session: &Session, caller: &Caller) -> Result<Option<Lease>> {
    let member = caller.member().filter(|_| caller.is_limited());
    match member.zip(session.config().stream_limit) {
        Some((member, limit)) => Lease::take(session, member, limit).await.map(Some),
        None => Ok(None),
    }
}
