//! Messages in Redis: what is stored, and how it is read back. The only file that knows Redis commands.

use crate::chat::Room;
use crate::config;
use crate::connection::{self, OwnConnection, Script};
use crate::error::{Error, Result};
use crate::keys;
use crate::message::{Draft, Message, Receipt};
use crate::page::{Extent, Order, PageRequest};
use serde::Deserialize;
use spin_sdk::redis::RedisResult;
use spin_sdk::wasip3::random::random::get_random_u64;
use std::borrow::Cow;
use std::cell::Cell;
use std::num::NonZeroU64;
use std::time::Duration;

static APPEND: Script = Script::new(include_str!("append.lua"));
static READ: Script = Script::new(include_str!("read.lua"));

/// How long the receipt of a message without a key is kept: three times the longest that its request can go on trying.
const ATTEMPT_WINDOW: Duration = Duration::from_millis(3 * config::MAX_REDIS_TIMEOUT_MS);

/// Appends a message to its room's log, once whatever happens on the way, and answers once Redis has it.
///
/// The index is one above the newest's. The time is Redis's, made greater than the newest's, so index and time always agree,
/// whatever clocks do. A message whose key was used for the same text within the window is not stored again: the receipt is
/// the first one. With another text, it is [`Error::KeyReused`].
pub async fn append(draft: &Draft) -> Result<Receipt> {
    let config = config::get().await?;
    let log = keys::log(draft.room());
    let (receipt, window) = if let Some(key) = draft.key() {
        (keys::sent(draft.room(), draft.member(), key), config.idempotency_window)
    } else {
        (keys::attempt(draft.room(), nonce()), ATTEMPT_WINDOW)
    };
    let window = window.as_millis().to_string();
    let kept = config.max_messages.map_or(0, NonZeroU64::get).to_string();
    let arguments = [draft.sender(), draft.text(), &window, &kept].map(str::as_bytes);
    let reply = connection::run(&APPEND, &[&log, &receipt], &arguments).await?;
    decode_receipt(&reply).map_err(|why| unreadable(&log, &why))?
}

/// A number that no other request has, of this instance or another.
fn nonce() -> [u64; 2] {
    thread_local! {
        static NEXT: Cell<Option<[u64; 2]>> = const { Cell::new(None) };
    }
    // The host is asked once an instance, as each question costs; 128 random bits leave room to count up from.
    let [of_instance, number] = NEXT.get().unwrap_or_else(|| [get_random_u64(), get_random_u64()]);
    NEXT.set(Some([of_instance, number.wrapping_add(1)]));
    [of_instance, number]
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
    let reply = connection::run(&READ, &[&key], &arguments).await?;
    decode_page(&reply).map_err(|why| unreadable(&key, &why))
}

/// Waits until a room has a message of the log that `extent` tells of (none: of any), newer than its newest and of the index
/// `from` or above; at most for `patience`. It may return early: who waits looks again.
pub async fn await_message(
    connection: &mut OwnConnection,
    room: &Room,
    extent: Option<Extent>,
    from: u64,
    patience: Duration,
) -> Result<()> {
    let key = keys::log(room);
    // To XREAD BLOCK, 0 is for ever.
    let patience = patience.max(Duration::from_millis(1));
    let milliseconds = patience.as_millis().to_string();
    let after = extent.map_or("0-0".into(), |extent| {
        format!("{}-{}", extent.epoch, extent.newest.max(from.saturating_sub(1)))
    });
    let arguments = ["BLOCK", &milliseconds, "COUNT", "1", "STREAMS", &key, &after].map(str::as_bytes);
    connection.block(patience, "XREAD", &arguments).await?;
    Ok(())
}

fn unreadable(key: &str, why: &str) -> Error {
    Error::Internal(format!("the stored data at {key} could not be read: {why}"))
}

/// Decodes the reply of `append.lua`.
fn decode_receipt(reply: &[RedisResult]) -> Result<Result<Receipt>, String> {
    let unknown = || "the reply of append.lua has an unknown shape".to_owned();
    let replayed = match reply.first() {
        Some(RedisResult::Binary(word)) if word == b"stored" => false,
        Some(RedisResult::Binary(word)) if word == b"replayed" => true,
        Some(RedisResult::Binary(word)) if word == b"reused" => return Ok(Err(Error::KeyReused)),
        _ => return Err(refusal(reply).unwrap_or_else(unknown)),
    };
    let number = |value: Option<&RedisResult>| match value {
        Some(RedisResult::Int64(number)) => u64::try_from(*number).ok(),
        _ => None,
    };
    let (index, send_time) = number(reply.get(1)).zip(number(reply.get(2))).ok_or_else(unknown)?;
    Ok(Ok(Receipt {
        index,
        send_time,
        replayed,
    }))
}

/// Decodes the reply of `read.lua`: newest id, oldest id, and the entries as JSON.
fn decode_page(reply: &[RedisResult]) -> Result<Option<(Extent, Vec<Message>)>, String> {
    let (newest, oldest, page) = match reply {
        [] => return Ok(None),
        [
            RedisResult::Binary(newest),
            RedisResult::Binary(oldest),
            RedisResult::Binary(page),
        ] => (newest, oldest, page),
        _ => return Err(refusal(reply).unwrap_or_else(|| "the reply of read.lua has an unknown shape".into())),
    };
    let (epoch, newest) = numbers(text(newest)?)?;
    let (_, oldest) = numbers(text(oldest)?)?;
    let entries: Vec<(&str, Vec<Field>)> =
        serde_json::from_slice(page).map_err(|why| format!("a page that is not one: {why}"))?;
    let messages = entries
        .into_iter()
        .map(|(id, fields)| decode_entry(id, fields).map_err(|why| format!("entry {id}: {why}")))
        .collect::<Result<_, _>>()?;
    Ok(Some((Extent { epoch, oldest, newest }, messages)))
}

/// A name or a value in a page's JSON: as bytes, so that one entry that is not UTF-8 is one entry that cannot be read; and
/// borrowed, but for those with characters that JSON escapes, as copies are most of what a page costs here.
#[derive(Deserialize)]
struct Field<'a>(#[serde(borrow, with = "serde_bytes")] Cow<'a, [u8]>);

/// Decodes an entry: its id, and the fields that it has in this order.
fn decode_entry(id: &str, fields: Vec<Field>) -> Result<Message, String> {
    let Ok([sender_is, sender, time_is, time, text_is, said]) = <[Field; 6]>::try_from(fields) else {
        return Err("has not the three fields of a message".into());
    };
    for (found, name) in [(sender_is, "sender"), (time_is, "time"), (text_is, "text")] {
        if *found.0 != *name.as_bytes() {
            return Err(format!(
                "has the field {:?} in place of {name:?}",
                String::from_utf8_lossy(&found.0)
            ));
        }
    }
    let (_, index) = numbers(id)?;
    let time = text(&time.0)?;
    Ok(Message {
        index,
        sender: text(&sender.0)?.to_owned(),
        text: text(&said.0)?.to_owned(),
        send_time: time.parse().map_err(|_| format!("has the time {time:?}"))?,
    })
}

/// The epoch and the index in an entry's id, `<epoch>-<index>`.
fn numbers(id: &str) -> Result<(u64, u64), String> {
    id.split_once('-')
        .and_then(|(epoch, index)| Some((epoch.parse().ok()?, index.parse().ok()?)))
        .ok_or_else(|| format!("{id:?} is not an entry's id"))
}

fn text(bytes: &[u8]) -> Result<&str, &str> {
    str::from_utf8(bytes).map_err(|_| "is not UTF-8")
}

/// What a script that cannot read the stored data says of it.
fn refusal(reply: &[RedisResult]) -> Option<String> {
    match reply {
        [RedisResult::Binary(word), RedisResult::Binary(why)] if word == b"unreadable" => {
            Some(String::from_utf8_lossy(why).into_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn reply(values: &[&str]) -> Vec<RedisResult> {
        values
            .iter()
            .map(|value| RedisResult::Binary(value.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn a_page_is_the_log_s_two_ends_and_its_entries() {
        let page = r#"[["17-3",["sender","Alice","time","17","text","hi"]],["17-4",["sender","bob","time","18","text","\u0000\/"]]]"#;
        let (extent, messages) = decode_page(&reply(&["17-9", "17-3", page])).unwrap().unwrap();
        let expected = Extent {
            epoch: 17,
            oldest: 3,
            newest: 9,
        };
        assert_eq!(extent, expected);
        let message = |index, sender: &str, text: &str, send_time| Message {
            index,
            sender: sender.into(),
            text: text.into(),
            send_time,
        };
        assert_eq!(messages, [message(3, "Alice", "hi", 17), message(4, "bob", "\0/", 18)]);
        assert_eq!(
            decode_page(&reply(&["17-9", "17-3", "[]"])),
            Ok(Some((extent, Vec::new())))
        );
        assert_eq!(decode_page(&[]), Ok(None));
    }

    #[test]
    fn a_page_that_cannot_be_read_says_where_and_why() {
        for (values, why) in [
            (&["unreadable", "WRONGTYPE Operation"][..], "WRONGTYPE Operation"),
            (&["17-9"], "the reply of read.lua has an unknown shape"),
            (&["17-9", "x", "[]"], "\"x\" is not an entry's id"),
            (
                &["17-9", "17-0", "{}"],
                "a page that is not one: invalid type: map, expected a sequence at line 1 column 0",
            ),
            (
                &["17-9", "17-0", r#"[["17-0",["sender","a"]]]"#],
                "entry 17-0: has not the three fields of a message",
            ),
            (
                &[
                    "17-9",
                    "17-0",
                    r#"[["17-0",["sender","a","time","1","text","b","more","c"]]]"#,
                ],
                "entry 17-0: has not the three fields of a message",
            ),
            (
                &["17-9", "17-0", r#"[["17-0",["a\/b","b","time","1","text","c"]]]"#],
                "entry 17-0: has the field \"a/b\" in place of \"sender\"",
            ),
            (
                &["17-9", "17-0", r#"[["17-0",["a","b","time","1","text","c"]]]"#],
                "entry 17-0: has the field \"a\" in place of \"sender\"",
            ),
            (
                &["17-9", "17-0", r#"[["17-0",["sender","a","time","x","text","hi"]]]"#],
                "entry 17-0: has the time \"x\"",
            ),
        ] {
            assert_eq!(decode_page(&reply(values)), Err(why.to_owned()));
        }
        let mut not_utf8 = reply(&["17-9", "17-0"]);
        let page = b"[[\"17-0\",[\"sender\",\"\xff\",\"time\",\"1\",\"text\",\"hi\"]]]";
        not_utf8.push(RedisResult::Binary(page.to_vec()));
        assert_eq!(decode_page(&not_utf8), Err("entry 17-0: is not UTF-8".to_owned()));
    }

    #[test]
    fn fuzz_replies() {
        let words = &["17-3", "18", "hi", "stored", "replayed", "reused", "unreadable"];
        let pages = near(&["[]", r#"[["17-3",["sender","a","time","18","text","\u0000hi"]]]"#]);
        let value = prop_oneof![
            6 => near(words).prop_map(RedisResult::Binary),
            4 => select(&words[..]).prop_map(|word| RedisResult::Binary(word.as_bytes().to_vec())),
            1 => any::<i64>().prop_map(RedisResult::Int64),
            1 => Just(RedisResult::Nil),
            1 => Just(RedisResult::Status("OK".into())),
        ];
        let page = pages.prop_map(|page| {
            let mut reply = reply(&["17-9", "17-0"]);
            reply.push(RedisResult::Binary(page));
            reply
        });
        fuzz("replies", &prop_oneof![vec(value, 0..5), page], |reply| {
            _ = decode_receipt(&reply);
            if let Ok(Some((_, messages))) = decode_page(&reply) {
                assert!(matches!(&reply[..], [_, _, RedisResult::Binary(page)] if page.len() > messages.len()));
            }
        });
    }

    #[test]
    fn a_receipt_is_a_word_and_two_numbers() {
        let receipt = |word: &str, numbers: &[i64]| {
            let mut values = reply(&[word]);
            values.extend(numbers.iter().copied().map(RedisResult::Int64));
            decode_receipt(&values)
        };
        for (word, replayed) in [("stored", false), ("replayed", true)] {
            let expected = Receipt {
                index: 41,
                send_time: 17,
                replayed,
            };
            assert_eq!(receipt(word, &[41, 17]), Ok(Ok(expected)));
        }
        assert_eq!(receipt("reused", &[]), Ok(Err(Error::KeyReused)));
        for (word, numbers) in [("stored", &[-1, 17][..]), ("stored", &[41]), ("else", &[41, 17])] {
            let why = receipt(word, numbers).unwrap_err();
            assert!(why.contains("unknown shape"), "{word} {numbers:?}: {why}");
        }
        assert!(decode_receipt(&[]).is_err());
        let refused = decode_receipt(&reply(&["unreadable", "WRONGTYPE"]));
        assert_eq!(refused, Err("WRONGTYPE".to_owned()));
    }
}
