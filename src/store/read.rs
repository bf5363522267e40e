//! Reads a page of a chat log.

use crate::domain::chat::Chat;
use crate::domain::embedded::embedded;
use crate::domain::error::Result;
use crate::domain::message::Message;
use crate::domain::page::{Basis, MAX_PAGE_BYTES, PageRequest, Span};
use crate::domain::position::Position;
use crate::domain::slice::{Extent, Found, Slice};
use crate::store::keys;
use crate::store::packed::take_string;
use crate::store::reply::{Unreadable, entry_id, text, time, void};
use crate::store::script::Script;
use crate::store::session::Session;
use rmp::decode::read_array_len;
use spin_sdk::redis::RedisResult;

static READ: Script = Script::reading(&[embedded!("entry.lua"), embedded!("confirm.lua"), embedded!("read.lua")]);

/// Reads the messages that a pull asks for, in its order.
pub async fn page(session: &Session, request: &PageRequest) -> Result<Found> {
    let (order, cursor, before) = match request.span {
        Span::From { from, .. } => (FORWARD, from, None),
        Span::Between { from, before } => (FORWARD, from, Some(before)),
        Span::Back { skip, before } => (REVERSE, skip, before),
    };
    let limit = request.limit.get();
    read(session, &request.chat, order, cursor, limit, before, request.basis).await
}

/// Reads up to `limit` messages after a position, oldest first.
pub async fn read_after(session: &Session, chat: &Chat, position: Position, limit: u16) -> Result<Found> {
    let (cursor, basis) = (position.next_index(), Basis::After(position));
    read(session, chat, FORWARD, cursor, limit, None, basis).await
}

const FORWARD: &str = "forward";
const REVERSE: &str = "reverse";

async fn read(
    session: &Session,
    chat: &Chat,
    order: &str,
    cursor: u64,
    limit: u16,
    before: Option<u64>,
    basis: Basis,
) -> Result<Found> {
    let log = keys::log(chat);
    let cursor = cursor.to_string();
    let limit = limit.to_string();
    let before = before.map_or(String::new(), |before| before.to_string());
    let bytes = MAX_PAGE_BYTES.to_string();
    let [epoch, index, time] = match basis {
        Basis::Any | Basis::After(Position::Start) => [const { String::new() }; 3],
        Basis::Epoch(epoch) => [epoch.get().to_string(), String::new(), String::new()],
        Basis::After(Position::After { id, time }) => {
            [id.epoch.get().to_string(), id.index.to_string(), time.to_string()]
        }
    };
    let arguments = [order, &cursor, &limit, &before, &bytes, &epoch, &index, &time].map(str::as_bytes);
    let reply = READ.run(session, &[&log], &arguments).await?;
    decode(&reply).map_err(|why| why.at(&log))
}

fn decode(reply: &[RedisResult]) -> Result<Found, Unreadable> {
    let (newest, newest_time, oldest, page) = match reply {
        [] => return Ok(Found::Slice(None)),
        [
            RedisResult::Binary(word),
            RedisResult::Binary(newest),
            RedisResult::Binary(newest_time),
            RedisResult::Binary(oldest),
            RedisResult::Binary(page),
        ] if word == b"page" => (newest, newest_time, oldest, page),
        _ => return void("read.lua", reply).map(Found::Reset),
    };
    let newest = entry_id(newest)?;
    let extent = Extent {
        epoch: newest.epoch,
        oldest: entry_id(oldest)?.index,
        newest: newest.index,
        newest_time: time(newest_time)?,
    };
    let messages = if page.is_empty() {
        Vec::new()
    } else {
        decode_entries(page)?
    };
    Ok(Found::Slice(Some(Slice { extent, messages })))
}

/// Decodes entries as `cmsgpack` packs them: an array of arrays, an id and its fields each. Strings are bytes here, so that one entry that is
/// not UTF-8 is one entry that cannot be read.
fn decode_entries(mut page: &[u8]) -> Result<Vec<Message>, Unreadable> {
    let malformed = || Unreadable("the page is not valid MessagePack".into());
    let count = read_array_len(&mut page).map_err(|_| malformed())?;
    let mut messages = Vec::new();
    for _ in 0..count {
        let (id, fields) = take_entry(&mut page).ok_or_else(malformed)?;
        let of_entry = |Unreadable(why)| Unreadable(format!("entry {}: {why}", String::from_utf8_lossy(id)));
        messages.push(decode_entry(id, &fields).map_err(of_entry)?);
    }
    Ok(messages)
}

fn take_entry<'a>(page: &mut &'a [u8]) -> Option<(&'a [u8], Vec<&'a [u8]>)> {
    if read_array_len(page).ok()? != 2 {
        return None;
    }
    let id = take_string(page)?;
    let count = read_array_len(page).ok()?;
    let fields = (0..count).map(|_| take_string(page)).collect::<Option<_>>()?;
    Some((id, fields))
}

fn decode_entry(id: &[u8], fields: &[&[u8]]) -> Result<Message, Unreadable> {
    let [name, value] = fields else {
        return Err(Unreadable("does not have the one field of a message".into()));
    };
    let (sender, said) = text(value)?
        .split_once(':')
        .ok_or_else(|| Unreadable("has no sender".into()))?;
    Ok(Message {
        index: entry_id(id)?.index,
        sender: sender.to_owned(),
        text: said.to_owned(),
        send_time: time(name)?,
    })
}

#[cfg(test)]
mod tests;
