//! How many streams and waiting pulls a person may have at once.

use crate::domain::caller::Caller;
use crate::domain::error::Result;
use crate::store::{Lease, Session};

/// Takes a lease for a stream or a pull that waits; `None` if the caller is not limited. Fails with
/// [`Error::TooManyStreams`](crate::domain::error::Error::TooManyStreams) if the caller has as many as are allowed.
pub async fn lease(session: &Session, caller: Option<&Caller>) -> Result<Option<Lease>> {
    let caller = caller.filter(|caller| caller.is_limited());
    let Some((caller, limit)) = caller.zip(session.stream_limit) else {
        return Ok(None);
    };
    Lease::take(session, caller.member(), limit).await.map(Some)
}
