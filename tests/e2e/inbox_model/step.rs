//! The steps of random programs of inboxes.

use crate::inbox_model::{CHATS, PEOPLE};
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Send {
        chat: usize,
        member: usize,
    },
    /// The chat's last send once more, with its key.
    SendAgain {
        chat: usize,
    },
    /// Up to an index, or to the position of a message, of this log or of one that was lost.
    Read {
        chat: usize,
        member: usize,
        index: usize,
        by_position: bool,
    },
    /// Blocks or mutes, or takes it back.
    Set {
        chat: usize,
        member: usize,
        blocked: bool,
        value: bool,
    },
    Inbox {
        person: usize,
        limit: usize,
    },
    /// By a confab that knows who calls.
    Delete {
        chat: usize,
        index: usize,
    },
    Remove {
        chat: usize,
        index: usize,
    },
    LoseLog {
        chat: usize,
    },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let (chat, member, index) = (0..CHATS.len(), 0..2_usize, 0..12_usize);
    let send = (chat.clone(), member.clone()).prop_map(|(chat, member)| Step::Send { chat, member });
    let again = chat.clone().prop_map(|chat| Step::SendAgain { chat });
    let read = (chat.clone(), member, index.clone(), any::<bool>()).prop_map(|(chat, member, index, by_position)| {
        Step::Read {
            chat,
            member,
            index,
            by_position,
        }
    });
    let set =
        (chat.clone(), 0..2_usize, any::<bool>(), any::<bool>()).prop_map(|(chat, member, blocked, value)| Step::Set {
            chat,
            member,
            blocked,
            value,
        });
    let inbox = (0..PEOPLE.len(), 1..4_usize).prop_map(|(person, limit)| Step::Inbox { person, limit });
    let delete = (chat.clone(), index.clone()).prop_map(|(chat, index)| Step::Delete { chat, index });
    let remove = (chat.clone(), index).prop_map(|(chat, index)| Step::Remove { chat, index });
    let lose = chat.prop_map(|chat| Step::LoseLog { chat });
    prop_oneof![12 => send, 2 => again, 6 => read, 4 => set, 6 => inbox, 3 => delete, 2 => remove, 1 => lose]
}
