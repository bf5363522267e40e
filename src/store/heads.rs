//! Reads the heads of chats: the newest message, and how much of each chat is read.

use crate::domain::chat::Chat;
use crate::domain::chat_settings::Side;
use crate::domain::error::{Error, Result};
use crate::domain::inbox::{Entry, MAX_LAST_BYTES, MAX_LAST_DATA_BYTES};
use crate::domain::member::Member;
use crate::domain::message::Message;
use crate::domain::slice::Extent;
use crate::redis::Script;
use crate::redis::lists;
use crate::redis::number;
use crate::server_log;
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::{Unreadable, entry_id, position, stored_data, text, time};
use futures::future::join_all;
use spin_sdk::redis::RedisResult;

static HEADS: Script = Script::reading(&[
    include_str!("entry.lua"),
    include_str!("confirm.lua"),
    include_str!("marks.lua"),
    include_str!("holes.lua"),
    include_str!("heads.lua"),
]);

/// What was found of a chat of an inbox.
#[derive(Debug, PartialEq)]
pub enum Head {
    /// It has messages.
    Entry(Box<Entry>),
    /// It has none: its log was removed, or emptied by hand.
    Empty,
    /// What is stored of it cannot be read. The cause is in the server log.
    Unreadable,
    /// The node of a Cluster that has it did not answer.
    Away,
}

impl Head {
    fn has_messages(&self) -> bool {
        matches!(self, Self::Entry(_))
    }
}

/// Reads the heads of a person's chats, in their order, until `enough` of them have messages. One whose newest message or marks cannot
/// be read does not hide the others.
pub async fn heads(session: &Session, reader: &Member, chats: &[&Chat], enough: usize) -> Result<Vec<Head>> {
    let mut heads = Vec::new();
    let mut missing = enough;
    // If messages are long, the script looks at a few chats and leaves the others for the next time: Redis does nothing else meanwhile.
    while let Some(rest) = chats.get(heads.len()..).filter(|rest| !rest.is_empty() && missing > 0) {
        let (keys, arguments) = question(reader, rest, missing);
        let reply = HEADS
            .run_undivided(session, &borrowed(&keys), &bytes(&arguments))
            .await?;
        let Some(reply) = reply else {
            return divided(session, reader, chats).await;
        };
        let found = found(reader, rest, &reply)?;
        missing = missing.saturating_sub(found.iter().filter(|head| head.has_messages()).count());
        heads.extend(found);
    }
    Ok(heads)
}

/// Reads the heads in a Cluster, where each chat is in a slot of its own: all at once, so that it takes no longer. A node that does not answer
/// hides only its own chats.
async fn divided(session: &Session, reader: &Member, chats: &[&Chat]) -> Result<Vec<Head>> {
    let heads = chats.iter().map(async |chat| {
        let (keys, arguments) = question(reader, &[*chat], 1);
        let reply = HEADS.run(session, &borrowed(&keys), &bytes(&arguments)).await?;
        found(reader, &[*chat], &reply)
    });
    let mut is_said = false;
    let mut all = Vec::new();
    for heads in join_all(heads).await {
        match heads {
            Err(error @ Error::Unavailable { .. }) => {
                // One line of the server log for all of them.
                if !is_said {
                    server_log::failed(&error);
                }
                is_said = true;
                all.push(Head::Away);
            }
            heads => all.extend(heads?),
        }
    }
    Ok(all)
}

/// The keys and the arguments of the script.
fn question(reader: &Member, chats: &[&Chat], enough: usize) -> (Vec<String>, Vec<String>) {
    let keys = chats.iter().flat_map(|chat| {
        [
            keys::log(chat),
            keys::marks(chat),
            keys::settings(chat),
            keys::holes(chat),
        ]
    });
    let fields = chats
        .iter()
        .flat_map(|chat| [reader, chat.other(reader)])
        .map(keys::field);
    let numbers = [enough, MAX_LAST_BYTES, MAX_LAST_DATA_BYTES].map(|number| number.to_string());
    (keys.collect(), numbers.into_iter().chain(fields).collect())
}

fn borrowed(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

fn bytes(arguments: &[String]) -> Vec<&[u8]> {
    arguments.iter().map(String::as_bytes).collect()
}

/// The heads of those chats that the script has looked at: one at least.
fn found(reader: &Member, chats: &[&Chat], reply: &[RedisResult]) -> Result<Vec<Head>> {
    let heads = decode(reply).and_then(|(looked_at, packed)| {
        let mut heads: Vec<_> = chats.iter().take(looked_at).map(|_| Head::Empty).collect();
        for head in lists(packed)? {
            let number = head.first().and_then(|number| text(number).ok()?.parse().ok());
            let found = number.and_then(|number: usize| heads.get_mut(number).zip(chats.get(number)));
            let (found, chat) = found.ok_or_else(|| Unreadable::of_reply("heads.lua", &[]))?;
            *found = match decode_head(reader, chat, &head) {
                Ok(entry) => Head::Entry(Box::new(entry)),
                Err(why) => {
                    server_log::failed(&why.at(&keys::log(chat)));
                    Head::Unreadable
                }
            };
        }
        Ok(heads)
    });
    heads.map_err(|why| why.at(&keys::inbox(reader)))
}

fn decode(reply: &[RedisResult]) -> Result<(usize, &[u8]), Unreadable> {
    let unknown = || Unreadable::of_reply("heads.lua", reply);
    let [RedisResult::Binary(word), looked_at, RedisResult::Binary(packed)] = reply else {
        return Err(unknown());
    };
    let looked_at = number(looked_at).and_then(|number| usize::try_from(number).ok());
    match looked_at {
        Some(looked_at) if word == b"heads" && looked_at > 0 => Ok((looked_at, packed)),
        _ => Err(unknown()),
    }
}

fn decode_head(reader: &Member, chat: &Chat, head: &[&[u8]]) -> Result<Entry, Unreadable> {
    let [
        _,
        newest,
        newest_time,
        sender,
        said,
        cut,
        data,
        oldest,
        read,
        read_by_other,
        rest @ ..,
    ] = head
    else {
        let why = head.get(1).map(|why| String::from_utf8_lossy(why));
        return Err(Unreadable(
            why.unwrap_or("a head of an unknown shape".into()).into_owned(),
        ));
    };
    let newest = entry_id(newest)?;
    let newest_time = time(newest_time)?;
    let (side, index, send_time, deleted) = match rest {
        [] => (Side::default(), newest.index, newest_time, 0),
        [blocked, muted, index, sent, deleted] => {
            let side = Side {
                blocked: *blocked == b"1",
                muted: *muted == b"1",
            };
            (side, time(index)?, time(sent)?, time(deleted)?)
        }
        _ => return Err(Unreadable("a head of an unknown shape".into())),
    };
    let (data, data_cut) = match *data {
        b"" => (None, false),
        b"cut" => (None, true),
        data => (Some(stored_data(text(data)?)?), false),
    };
    Ok(Entry {
        chat: chat.clone(),
        with: chat.other(reader).clone(),
        extent: Extent {
            epoch: newest.epoch,
            oldest: time(oldest)?,
            newest: newest.index,
            newest_time,
        },
        last: Message {
            index,
            sender: text(sender)?.to_owned(),
            text: text(said)?.to_owned(),
            data,
            send_time,
        },
        cut: !cut.is_empty(),
        data_cut,
        read: position(read)?,
        read_by_other: position(read_by_other)?,
        deleted,
        side,
    })
}

#[cfg(test)]
mod tests;
