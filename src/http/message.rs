//! A message as HTTP clients receive it.

use crate::domain::data::Data;
use crate::domain::message;
use serde::Serialize;
use serde_json::value::RawValue;
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
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
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
            data: message.data.as_ref().and_then(raw),
        }
    }
}

/// Data as the JSON that it is. It was parsed before: it is there.
pub(super) fn raw(data: &Data) -> Option<&RawValue> {
    serde_json::from_str(data.as_str()).ok()
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
