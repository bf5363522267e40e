//! Messages in Redis: what is stored, and how it is read back. The only file that knows Redis commands.

use crate::connection::{self, Repeat, Script};
use crate::error::{Error, Result};
use crate::keys;
use crate::message::{Draft, Message, Receipt};
use crate::page::{Extent, Order, PageRequest};
use spin_sdk::redis::RedisResult;

static APPEND: Script = Script::new(include_str!("append.lua"));
static READ: Script = Script::new(include_str!("read.lua"));

/// Appends a message to its room's log and answers once Redis has it.
///
/// The index is one above the newest's. The time is Redis's, made greater than the newest's, so index and time always agree,
/// whatever clocks do.
pub async fn append(draft: &Draft) -> Result<Receipt> {
    let key = keys::log(draft.room());
    let arguments = [draft.sender().as_bytes(), draft.text().as_bytes()];
    let reply = connection::run(&APPEND, &key, &arguments, Repeat::Never).await?;
    decode_receipt(reply).map_err(|why| unreadable(&key, &why))
}

/// Reads a page's messages, in its order, and how far the log reaches; none where the room has no log.
pub async fn read(request: &PageRequest) -> Result<Option<(Extent, Vec<Message>)>> {
    let key = keys::log(request.chat.room());
    let order: &[u8] = match request.order {
        Order::OldestFirst => b"forward",
        Order::NewestFirst => b"reverse",
    };
    let cursor = request.cursor.to_string();
    let count = request.limit.get().to_string();
    let before = request.before.map_or(String::new(), |before| before.to_string());
    let arguments = [order, cursor.as_bytes(), count.as_bytes(), before.as_bytes()];
    let reply = connection::run(&READ, &key, &arguments, Repeat::Safe).await?;
    decode_page(reply).map_err(|why| unreadable(&key, &why))
}

fn unreadable(key: &str, why: &str) -> Error {
    Error::Internal(format!("the stored data at {key} could not be read: {why}"))
}

/// Decodes the reply of `append.lua`.
fn decode_receipt(reply: Vec<RedisResult>) -> Result<Receipt, String> {
    let receipt = match reply.as_slice() {
        [RedisResult::Int64(index), RedisResult::Int64(time)] => u64::try_from(*index)
            .and_then(|index| Ok((index, u64::try_from(*time)?)))
            .map(|(index, send_time)| Receipt { index, send_time })
            .ok(),
        _ => None,
    };
    receipt.ok_or_else(|| refusal(reply))
}

/// Decodes the reply of `read.lua`: newest id, oldest id, and then seven values an entry.
fn decode_page(reply: Vec<RedisResult>) -> Result<Option<(Extent, Vec<Message>)>, String> {
    if reply.is_empty() {
        return Ok(None);
    }
    if reply.len() == 1 {
        return Err(refusal(reply));
    }
    let mut values = reply.into_iter().map(text);
    let newest = index(&take(&mut values)?)?;
    let oldest = index(&take(&mut values)?)?;
    let mut messages = Vec::new();
    while let Some(id) = values.next() {
        let id = id?;
        messages.push(decode_entry(&id, &mut values).map_err(|why| format!("entry {id}: {why}"))?);
    }
    Ok(Some((Extent { oldest, newest }, messages)))
}

type Text = Result<String, String>;

fn decode_entry(id: &str, values: &mut impl Iterator<Item = Text>) -> Result<Message, String> {
    let mut field = |name: &str| {
        let found = take(values)?;
        if found == name {
            take(values)
        } else {
            Err(format!("has the field {found:?} in place of {name:?}"))
        }
    };
    let sender = field("sender")?;
    let send_time = field("time")?;
    let text = field("text")?;
    Ok(Message {
        index: index(id)?,
        sender,
        text,
        send_time: send_time.parse().map_err(|_| format!("has the time {send_time:?}"))?,
    })
}

/// The index in an entry's id, `<epoch>-<index>`.
fn index(id: &str) -> Result<u64, String> {
    id.split_once('-')
        .and_then(|(_, index)| index.parse().ok())
        .ok_or_else(|| format!("{id:?} is not an entry's id"))
}

fn take(values: &mut impl Iterator<Item = Text>) -> Text {
    values.next().unwrap_or_else(|| Err("the reply ends early".into()))
}

fn text(value: RedisResult) -> Text {
    match value {
        RedisResult::Binary(bytes) => String::from_utf8(bytes).map_err(|_| "is not UTF-8".into()),
        RedisResult::Nil | RedisResult::Status(_) | RedisResult::Int64(_) => {
            Err("has a value that is not a string".into())
        }
    }
}

/// What a script that could not do its work says of the key.
fn refusal(mut reply: Vec<RedisResult>) -> String {
    match reply.pop() {
        Some(RedisResult::Binary(why)) if reply.is_empty() => String::from_utf8_lossy(&why).into_owned(),
        _ => "the reply has an unknown shape".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(values: &[&str]) -> Vec<RedisResult> {
        values
            .iter()
            .map(|value| RedisResult::Binary(value.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn a_page_is_seven_values_an_entry() {
        let (extent, messages) = decode_page(reply(&[
            "17-9", "17-3", //
            "17-3", "sender", "Alice", "time", "17", "text", "hi", //
            "17-4", "sender", "bob", "time", "18", "text", "text",
        ]))
        .unwrap()
        .unwrap();
        assert_eq!(extent, Extent { oldest: 3, newest: 9 });
        let message = |index, sender: &str, text: &str, send_time| Message {
            index,
            sender: sender.into(),
            text: text.into(),
            send_time,
        };
        assert_eq!(messages, [message(3, "Alice", "hi", 17), message(4, "bob", "text", 18)]);
        assert_eq!(decode_page(Vec::new()), Ok(None));
    }

    #[test]
    fn a_page_that_cannot_be_read_says_where_and_why() {
        for (values, why) in [
            (&["WRONGTYPE Operation"][..], "WRONGTYPE Operation"),
            (&["17-9", "x"], "\"x\" is not an entry's id"),
            (
                &["17-9", "17-0", "17-0", "sender", "a"],
                "entry 17-0: the reply ends early",
            ),
            (
                &["17-9", "17-0", "17-0", "a", "b", "17-1"],
                "entry 17-0: has the field \"a\" in place of \"sender\"",
            ),
            (
                &["17-9", "17-0", "17-0", "sender", "a", "time", "x", "text", "hi"],
                "entry 17-0: has the time \"x\"",
            ),
        ] {
            assert_eq!(decode_page(reply(values)), Err(why.to_owned()));
        }
        let mut not_utf8 = reply(&["17-9", "17-0", "17-0", "sender"]);
        not_utf8.push(RedisResult::Binary(vec![0xff]));
        assert_eq!(decode_page(not_utf8), Err("entry 17-0: is not UTF-8".to_owned()));
    }

    #[test]
    fn a_receipt_is_two_numbers() {
        let two = |index, time| vec![RedisResult::Int64(index), RedisResult::Int64(time)];
        assert_eq!(
            decode_receipt(two(41, 17)),
            Ok(Receipt {
                index: 41,
                send_time: 17
            })
        );
        assert!(decode_receipt(two(-1, 17)).is_err());
        assert!(decode_receipt(Vec::new()).is_err());
        assert_eq!(decode_receipt(reply(&["WRONGTYPE"])), Err("WRONGTYPE".to_owned()));
    }
}
