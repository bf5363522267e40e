//! Reads a page of a chat log, or how far it reaches.

use crate::config::Config;
use crate::domain::chat::Chat;
use crate::domain::entry_id::EntryId;
use crate::domain::error::Result;
use crate::domain::message::Message;
use crate::domain::page::{Extent, MAX_PAGE_BYTES, PageRequest, Slice, Span};
use crate::store::keys;
use crate::store::reply::{Unreadable, text};
use crate::store::script::Script;
use serde::Deserialize;
use spin_sdk::redis::RedisResult;
use std::borrow::Cow;

static READ: Script = Script::new(concat!(include_str!("entry_id.lua"), include_str!("read.lua")));

/// Reads the messages that a pull asks for, in its order; `None` if the chat has no log.
pub async fn page(config: &Config, request: &PageRequest) -> Result<Option<Slice>> {
    let (order, cursor, before) = match request.span {
        Span::From { from, .. } => (FORWARD, from, None),
        Span::Between { from, before } => (FORWARD, from, Some(before)),
        Span::Back { skip, before } => (REVERSE, skip, before),
    };
    read(config, &request.chat, order, cursor, request.limit.get(), before).await
}

/// Reads up to `limit` messages from the index `from` on, oldest first; `None` if the chat has no log.
pub async fn read_from(config: &Config, chat: &Chat, from: u64, limit: u16) -> Result<Option<Slice>> {
    read(config, chat, FORWARD, from, limit, None).await
}

/// Reads how far a chat log reaches; `None` if the chat has no log.
pub async fn extent(config: &Config, chat: &Chat) -> Result<Option<Extent>> {
    let slice = read(config, chat, FORWARD, 0, 0, None).await?;
    Ok(slice.map(|slice| slice.extent))
}

const FORWARD: &str = "forward";
const REVERSE: &str = "reverse";

async fn read(
    config: &Config,
    chat: &Chat,
    order: &str,
    cursor: u64,
    limit: u16,
    before: Option<u64>,
) -> Result<Option<Slice>> {
    let log = keys::log(chat);
    let cursor = cursor.to_string();
    let limit = limit.to_string();
    let before = before.map_or(String::new(), |before| before.to_string());
    let bytes = MAX_PAGE_BYTES.to_string();
    let arguments = [order, &cursor, &limit, &before, &bytes].map(str::as_bytes);
    let reply = READ.run(config, &[&log], &arguments).await?;
    decode(&reply).map_err(|why| why.at(&log))
}

/// Decodes the reply of `read.lua`: newest id, oldest id, and the entries as JSON.
fn decode(reply: &[RedisResult]) -> Result<Option<Slice>, Unreadable> {
    let (newest, oldest, page) = match reply {
        [] => return Ok(None),
        [
            RedisResult::Binary(newest),
            RedisResult::Binary(oldest),
            RedisResult::Binary(page),
        ] => (newest, oldest, page),
        _ => return Err(Unreadable::of_reply("read.lua", reply)),
    };
    let newest = entry_id(text(newest)?)?;
    let oldest = entry_id(text(oldest)?)?;
    let extent = Extent {
        epoch: newest.epoch,
        oldest: oldest.index,
        newest: newest.index,
    };
    let entries: Vec<(&str, Vec<Name>)> =
        serde_json::from_slice(page).map_err(|why| Unreadable(format!("the page is not valid JSON: {why}")))?;
    let messages = entries
        .into_iter()
        .map(|(id, fields)| {
            decode_entry(id, fields).map_err(|Unreadable(why)| Unreadable(format!("entry {id}: {why}")))
        })
        .collect::<Result<_, _>>()?;
    Ok(Some(Slice { extent, messages }))
}

/// A name or a value in a page's JSON. It is bytes, so that one entry that is not UTF-8 is one entry that cannot be read. It is
/// borrowed unless JSON escapes it, as copies are most of what a page costs here.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow, with = "serde_bytes")] Cow<'a, [u8]>);

/// Decodes an entry: its id, and its fields in their stored order.
fn decode_entry(id: &str, fields: Vec<Name>) -> Result<Message, Unreadable> {
    let Ok([sender_name, sender, time_name, time, text_name, said]) = <[Name; 6]>::try_from(fields) else {
        return Err(Unreadable("does not have the three fields of a message".into()));
    };
    for (found, name) in [(sender_name, "sender"), (time_name, "time"), (text_name, "text")] {
        if *found.0 != *name.as_bytes() {
            let found = String::from_utf8_lossy(&found.0).into_owned();
            return Err(Unreadable(format!("has field {found:?}, expected {name:?}")));
        }
    }
    let time = text(&time.0)?;
    Ok(Message {
        index: entry_id(id)?.index,
        sender: text(&sender.0)?.to_owned(),
        text: text(&said.0)?.to_owned(),
        send_time: time.parse().map_err(|_| Unreadable(format!("has the time {time:?}")))?,
    })
}

fn entry_id(id: &str) -> Result<EntryId, Unreadable> {
    id.parse()
        .map_err(|_| Unreadable(format!("{id:?} is not an entry's id")))
}

#[cfg(test)]
mod tests;
