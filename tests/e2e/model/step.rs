//! The steps of random programs.

use crate::model::CHATS;
use proptest::option;
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Send {
        chat: usize,
        other_member: bool,
        /// From `WITH_DATA` on, there is data in place of a text.
        text: u8,
        key: Option<u8>,
    },
    Pull {
        chat: usize,
        cursor: u64,
        limit: u64,
        reverse: bool,
        before: Option<u64>,
        epoch: Epoch,
    },
    Walk {
        chat: usize,
        limit: u64,
        reverse: bool,
    },
    /// By a confab that knows who calls.
    Delete {
        chat: usize,
        index: usize,
    },
    LoseLog {
        chat: usize,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Epoch {
    None,
    Of(usize),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let chat = 0..CHATS.len();
    let send =
        (chat.clone(), any::<bool>(), 0..5_u8, option::of(0..4_u8)).prop_map(|(chat, other_member, text, key)| {
            Step::Send {
                chat,
                other_member,
                text,
                key,
            }
        });
    let epoch = prop_oneof![Just(Epoch::None), (0..CHATS.len()).prop_map(Epoch::Of)];
    let pull = (
        chat.clone(),
        0..12_u64,
        0..8_u64,
        any::<bool>(),
        option::of(0..12_u64),
        epoch,
    )
        .prop_map(|(chat, cursor, limit, reverse, before, epoch)| Step::Pull {
            chat,
            cursor,
            limit,
            reverse,
            before,
            epoch,
        });
    let walk =
        (chat.clone(), 1..5_u64, any::<bool>()).prop_map(|(chat, limit, reverse)| Step::Walk { chat, limit, reverse });
    let delete = (chat.clone(), 0..12_usize).prop_map(|(chat, index)| Step::Delete { chat, index });
    let lose = chat.prop_map(|chat| Step::LoseLog { chat });
    prop_oneof![12 => send, 6 => pull, 2 => walk, 4 => delete, 1 => lose]
}
