//! A message as HTTP clients receive it.

use crate::domain::message;
use serde::Serialize;

/// The JSON of a message, the same in a page and in a server-sent event.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    chat: &'a str,
    text: &'a str,
    sender: &'a str,
    send_time: u64,
    index: u64,
}

impl<'a> Message<'a> {
    /// A message of the chat that the client calls `chat`, which is echoed as in the original.
    pub(super) fn new(chat: &'a str, message: &'a message::Message) -> Self {
        Self {
            chat,
            text: &message.text,
            sender: &message.sender,
            send_time: message.send_time,
            index: message.index,
        }
    }
}
