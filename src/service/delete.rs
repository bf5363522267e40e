//! Deletes a message.

use crate::domain::caller::Caller;
use crate::domain::deletion::DeletionFields;
use crate::domain::error::Result;
use crate::service::rights;
use crate::session::Session;
use crate::store;

/// Deletes a message of the caller's own, or any for a service or a component. Its followers receive a notice in its place of the
/// order, and no page has it any more. With `redis_replicas`, as many replicas have it then.
pub async fn delete(session: &Session, caller: &Caller, fields: &DeletionFields) -> Result<()> {
    store::delete(session, &rights::deletion(caller, fields)?).await
}
