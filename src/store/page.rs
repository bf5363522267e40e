//! Reads a page of a chat log.

use crate::domain::chat::Chat;
use crate::domain::entry_id::EntryId;
use crate::domain::error::Result;
use crate::domain::message::Message;
use crate::domain::notice::Item;
use crate::domain::page::{Basis, MAX_PAGE_BYTES, PageRequest, Span};
use crate::domain::position::Position;
use crate::domain::slice::{Extent, Found, Slice};
use crate::redis::Script;
use crate::redis::number;
use crate::redis::strings;
use crate::session::Session;
use crate::store::keys;
use crate::store::notice::stored_notice;
use crate::store::reply::{Unreadable, entry_id, stored_data, text, time, void};
use spin_sdk::redis::RedisResult;

static PAGE: Script = Script::reading(&[
    include_str!("entry.lua"),
    include_str!("confirm.lua"),
    include_str!("holes.lua"),
    include_str!("page.lua"),
]);

/// Reads the messages that a pull asks for, in its order.
pub async fn page(session: &Session, request: &PageRequest) -> Result<Found> {
    let (order, cursor, before) = match request.span {
        Span::From { from, .. } => (Order::Forward, from, None),
        Span::Between { from, before } => (Order::Forward, from, Some(before)),
        Span::Back { skip, before } => (Order::Reverse, skip, before),
    };
    let limit = request.limit.get();
    read(session, &request.chat, order, cursor, limit, before, request.basis).await
}

/// Reads up to `limit` messages after a position, oldest first.
pub async fn page_after(session: &Session, chat: &Chat, position: Position, limit: u16) -> Result<Found> {
    let (cursor, basis) = (position.next_index(), Basis::After(position));
    read(session, chat, Order::Forward, cursor, limit, None, basis).await
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Forward,
    Reverse,
}

async fn read(
    session: &Session,
    chat: &Chat,
    order: Order,
    cursor: u64,
    limit: u16,
    before: Option<u64>,
    basis: Basis,
) -> Result<Found> {
    let log = keys::log(chat);
    let from = cursor.to_string();
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
    let word = match order {
        Order::Forward if matches!(basis, Basis::After(_)) => "after",
        Order::Forward => "forward",
        Order::Reverse => "reverse",
    };
    let arguments = [word, &from, &limit, &before, &bytes, &epoch, &index, &time].map(str::as_bytes);
    let read = async |keys: &[&str]| {
        let reply = PAGE.run(session, keys, &arguments).await?;
        decode(order, chat, &reply).map_err(|why| why.at(&log))
    };
    let found = read(&[&log]).await?;
    // While its slot moves, a log may have come before its holes. Asked for both, a Cluster says so, and has all or nothing later.
    match (&found, basis) {
        (Found::Slice(Some(slice)), Basis::After(_)) if slice.has_gap(cursor) => {
            read(&[&log, &keys::holes(chat)]).await
        }
        _ => Ok(found),
    }
}

fn decode(order: Order, chat: &Chat, reply: &[RedisResult]) -> Result<Found, Unreadable> {
    let unknown = || Unreadable::of_reply("page.lua", reply);
    let (newest, newest_time, oldest, far, runs) = match reply {
        [] => return Ok(Found::Slice(None)),
        [
            RedisResult::Binary(word),
            RedisResult::Binary(newest),
            RedisResult::Binary(newest_time),
            oldest,
            far,
            runs @ ..,
        ] if word == b"page" => (newest, newest_time, oldest, far, runs),
        _ => return void("page.lua", reply).map(Found::Reset),
    };
    let newest = entry_id(newest)?;
    let extent = Extent {
        epoch: newest.epoch,
        oldest: number(oldest).ok_or_else(unknown)?,
        newest: newest.index,
        newest_time: time(newest_time)?,
    };
    let (mut items, mut told) = (Vec::new(), Vec::new());
    for run in runs.chunks(3) {
        let [
            RedisResult::Binary(first),
            RedisResult::Binary(is_told),
            RedisResult::Binary(packed),
        ] = run
        else {
            return Err(unknown());
        };
        let first = entry_id(first)?;
        if !is_told.is_empty() {
            told.push(first.index);
        }
        decode_run(order, chat, first, packed, &mut items)?;
    }
    let far = match far {
        RedisResult::Int64(-1) => None,
        far => Some(number(far).ok_or_else(unknown)?),
    };
    Ok(Found::Slice(Some(Slice {
        extent,
        items,
        far,
        told,
    })))
}

/// Decodes entries whose indexes follow one another from `first` on: of each its time with its data or what the notice says, and its text. Strings are bytes here, so that one
/// entry that is not UTF-8 is one entry that cannot be read.
fn decode_run(
    order: Order,
    chat: &Chat,
    first: EntryId,
    packed: &[u8],
    items: &mut Vec<Item>,
) -> Result<(), Unreadable> {
    let mut next = Some(first.index);
    for entry in strings(packed)?.chunks(2) {
        let (&[sent, value], Some(index)) = (entry, next) else {
            return Err(Unreadable(
                "the page has half a message, or one without an index".into(),
            ));
        };
        let id = EntryId { index, ..first };
        let of_entry = |Unreadable(why)| Unreadable(format!("entry {id}: {why}"));
        items.push(decode_entry(chat, index, sent, value).map_err(of_entry)?);
        next = match order {
            Order::Forward => index.checked_add(1),
            Order::Reverse => index.checked_sub(1),
        };
    }
    Ok(())
}

fn decode_entry(chat: &Chat, index: u64, sent: &[u8], value: &[u8]) -> Result<Item, Unreadable> {
    let (sent, data) = match text(sent)?.split_once(' ') {
        Some((sent, data)) if data.starts_with('{') => (sent, Some(stored_data(data)?)),
        Some((sent, said)) => return stored_notice(chat, index, time(sent.as_bytes())?, said).map(Item::Notice),
        None => (text(sent)?, None),
    };
    let (sender, said) = text(value)?
        .split_once(':')
        .ok_or_else(|| Unreadable("has no sender".into()))?;
    Ok(Item::Message(Message {
        index,
        sender: sender.to_owned(),
        text: said.to_owned(),
        data,
        send_time: time(sent.as_bytes())?,
    }))
}

#[cfg(test)]
mod tests;
