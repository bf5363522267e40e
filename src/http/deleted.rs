//! A deleted message as HTTP clients receive it.

use crate::domain::member::Member;
use crate::domain::notice;
use serde::Serialize;

/// The JSON of a deletion, in a page.
#[derive(Serialize)]
pub(super) struct Deleted<'a> {
    index: u64,
    send_time: u64,
    /// Absent if the app's own service has deleted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
}

impl<'a> Deleted<'a> {
    /// The deletion of a message.
    pub(super) fn new(deleted: &'a notice::Deleted) -> Self {
        Self {
            index: deleted.index,
            send_time: deleted.send_time,
            by: deleted.by.as_ref().map(Member::as_str),
        }
    }
}

/// The JSON of a deletion in a server-sent event: with the epoch of the chat log.
#[derive(Serialize)]
pub(super) struct DeletedIn<'a> {
    epoch: u64,
    #[serde(flatten)]
    deleted: Deleted<'a>,
}

impl<'a> DeletedIn<'a> {
    /// The deletion of a message of the chat log of this epoch.
    pub(super) fn new(epoch: u64, deleted: &'a notice::Deleted) -> Self {
        let deleted = Deleted::new(deleted);
        Self { epoch, deleted }
    }
}
