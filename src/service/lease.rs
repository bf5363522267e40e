//! How many streams and waiting pulls, and how many exports, a person may have at once.

use crate::domain::caller::Caller;
use crate::domain::error::Result;
use crate::session::Session;
use crate::store::{Lease, Leased};
use std::num::NonZeroU64;

/// How many exports a person may have at once: one that lost its client counts until that is noticed, and another can begin.
const EXPORTS: NonZeroU64 = NonZeroU64::MIN.saturating_add(1);

/// Takes a lease for a stream or a pull that waits; `None` if the caller is not limited. Fails with
/// [`Error::TooManyStreams`](crate::domain::error::Error::TooManyStreams) if the caller has as many as are allowed.
pub(super) async fn lease(session: &Session, caller: &Caller) -> Result<Option<Lease>> {
    take(session, caller, Leased::Streams, session.config().stream_limit).await
}

/// Takes a lease for an export; `None` if the caller is not limited. Fails with
/// [`Error::TooManyExports`](crate::domain::error::Error::TooManyExports) if the caller has two.
pub(super) async fn lease_of_export(session: &Session, caller: &Caller) -> Result<Option<Lease>> {
    take(session, caller, Leased::Exports, Some(EXPORTS)).await
}

async fn take(session: &Session, caller: &Caller, leased: Leased, limit: Option<NonZeroU64>) -> Result<Option<Lease>> {
    let member = caller.member().filter(|_| caller.is_limited());
    match member.zip(limit) {
        Some((member, limit)) => Lease::take(session, member, leased, limit).await.map(Some),
        None => Ok(None),
    }
}
