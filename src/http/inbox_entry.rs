//! An inbox as HTTP clients receive it.

use crate::domain::inbox::{Entry, InboxPage};
use crate::domain::message;
use crate::http::message::raw;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The JSON of a chat in an inbox, the same in a page and in a server-sent event.
#[derive(Serialize)]
pub(super) struct InboxEntry<'a> {
    chat: String,
    with: &'a str,
    last: Last<'a>,
    epoch: u64,
    unread: u64,
    /// What is below this index is read.
    read: u64,
    read_position: String,
    read_by_other: u64,
    read_by_other_position: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted: Option<bool>,
}

#[derive(Serialize)]
struct Last<'a> {
    text: &'a str,
    sender: &'a str,
    member: Cow<'a, str>,
    send_time: u64,
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_cut: Option<bool>,
}

impl<'a> InboxEntry<'a> {
    /// A chat, by its members' folded names: nobody has spelled it in the request.
    pub(super) fn new(entry: &'a Entry) -> Self {
        let message::Message {
            index,
            sender,
            text,
            data,
            send_time,
        } = &entry.last;
        Self {
            chat: entry.chat.to_string(),
            with: entry.with.as_str(),
            last: Last {
                text,
                sender,
                member: entry.last.member(),
                send_time: *send_time,
                index: *index,
                cut: entry.cut.then_some(true),
                data: data.as_ref().and_then(raw),
                data_cut: entry.data_cut.then_some(true),
            },
            epoch: entry.extent.epoch.get(),
            unread: entry.unread(),
            read: entry.read.next_index(),
            read_position: entry.read.to_string(),
            read_by_other: entry.read_by_other.next_index(),
            read_by_other_position: entry.read_by_other.to_string(),
            blocked: entry.side.blocked.then_some(true),
            muted: entry.side.muted.then_some(true),
        }
    }
}

/// The JSON of a page.
#[derive(Serialize)]
pub(super) struct Inbox<'a> {
    chats: Vec<InboxEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Chats are missing that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<bool>,
    /// The id from which a client continues that has this page: only in an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

impl<'a> Inbox<'a> {
    /// A page, with the position of the event that it is in.
    pub(super) fn new(page: &'a InboxPage, position: Option<String>) -> Self {
        Self {
            chats: page.chats.iter().map(InboxEntry::new).collect(),
            has_more: page.next.as_ref().map(|_| true),
            next: page.next.as_ref().map(ToString::to_string),
            incomplete: (!page.away.is_empty()).then_some(true),
            position,
        }
    }
}
