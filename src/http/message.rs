//! A message as HTTP clients receive it.

use crate::domain::message;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The JSON of a message, in a page and in a server-sent event.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    chat: &'a str,
    text: &'a str,
    sender: &'a str,
    member: Cow<'a, str>,
    send_time: u64,
    index: u64,
}

impl<'a> Message<'a> {
    /// A message of the chat that the client calls `chat`, which is echoed as in the original.
    pub(super) fn new(chat: &'a str, message: &'a message::Message, members: &mut Members<'a>) -> Self {
        Self {
            chat,
            text: &message.text,
            sender: &message.sender,
            member: members.of(message),
            send_time: message.send_time,
            index: message.index,
        }
    }
}

/// The senders of some messages: each spelling of a name is folded once.
#[derive(Default)]
pub(super) struct Members<'a>(BTreeMap<&'a str, Cow<'a, str>>);

impl<'a> Members<'a> {
    fn of(&mut self, message: &'a message::Message) -> Cow<'a, str> {
        let folded = self.0.entry(&message.sender).or_insert_with(|| message.member());
        folded.clone()
    }
}
