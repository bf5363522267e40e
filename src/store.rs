//! Messages in Redis: what is stored, and how it is read back. The only file that knows Redis commands.

use crate::config;
use crate::connection::{self, Script};
use crate::error::{Error, Result};
use crate::keys;
use crate::message::{Draft, Message, Receipt};
use crate::page::{Extent, Order, PageRequest};
use spin_sdk::redis::RedisResult;
use spin_sdk::wasip3::random::random::get_random_u64;
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
        let nonce = [get_random_u64(), get_random_u64()];
        (keys::attempt(draft.room(), nonce), ATTEMPT_WINDOW)
    };
    let window = window.as_millis().to_string();
    let kept = config.max_messages.map_or(0, NonZeroU64::get).to_string();
    let arguments = [draft.sender(), draft.text(), &window, &kept].map(str::as_bytes);
    let reply = connection::run(&APPEND, &[&log, &receipt], &arguments).await?;
    decode_receipt(&reply).map_err(|why| unreadable(&log, &why))?
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
    decode_page(reply).map_err(|why| unreadable(&key, &why))
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

/// Decodes the reply of `read.lua`: newest id, oldest id, and then seven values an entry.
fn decode_page(reply: Vec<RedisResult>) -> Result<Option<(Extent, Vec<Message>)>, String> {
    if reply.is_empty() {
        return Ok(None);
    }
    if let Some(why) = refusal(&reply) {
        return Err(why);
    }
    let mut values = reply.into_iter().map(text);
    let (epoch, newest) = numbers(&take(&mut values)?)?;
    let (_, oldest) = numbers(&take(&mut values)?)?;
    let mut messages = Vec::new();
    while let Some(id) = values.next() {
        let id = id?;
        messages.push(decode_entry(&id, &mut values).map_err(|why| format!("entry {id}: {why}"))?);
    }
    let extent = Extent { epoch, oldest, newest };
    Ok(Some((extent, messages)))
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
    let (_, index) = numbers(id)?;
    Ok(Message {
        index,
        sender,
        text,
        send_time: send_time.parse().map_err(|_| format!("has the time {send_time:?}"))?,
    })
}

/// The epoch and the index in an entry's id, `<epoch>-<index>`.
fn numbers(id: &str) -> Result<(u64, u64), String> {
    id.split_once('-')
        .and_then(|(epoch, index)| Some((epoch.parse().ok()?, index.parse().ok()?)))
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
    fn a_page_is_seven_values_an_entry() {
        let (extent, messages) = decode_page(reply(&[
            "17-9", "17-3", //
            "17-3", "sender", "Alice", "time", "17", "text", "hi", //
            "17-4", "sender", "bob", "time", "18", "text", "text",
        ]))
        .unwrap()
        .unwrap();
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
        assert_eq!(messages, [message(3, "Alice", "hi", 17), message(4, "bob", "text", 18)]);
        assert_eq!(decode_page(Vec::new()), Ok(None));
    }

    #[test]
    fn a_page_that_cannot_be_read_says_where_and_why() {
        for (values, why) in [
            (&["unreadable", "WRONGTYPE Operation"][..], "WRONGTYPE Operation"),
            (&["17-9"], "the reply ends early"),
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
    fn fuzz_replies() {
        let words = &[
            "17-3",
            "sender",
            "time",
            "text",
            "18",
            "a",
            "hi",
            "stored",
            "replayed",
            "reused",
            "unreadable",
        ];
        let value = prop_oneof![
            6 => near(words).prop_map(RedisResult::Binary),
            4 => select(&words[..]).prop_map(|word| RedisResult::Binary(word.as_bytes().to_vec())),
            1 => any::<i64>().prop_map(RedisResult::Int64),
            1 => Just(RedisResult::Nil),
            1 => Just(RedisResult::Status("OK".into())),
        ];
        // Whole entries, whose values may then be any.
        let field = |name: &str| Just(RedisResult::Binary(name.as_bytes().to_vec()));
        let any_value = value.clone().boxed();
        let entry = (
            any_value.clone(),
            (field("sender"), any_value.clone()),
            (field("time"), any_value.clone()),
            (field("text"), any_value),
        );
        let entry =
            entry.prop_map(|(id, sender, time, text)| vec![id, sender.0, sender.1, time.0, time.1, text.0, text.1]);
        let page = (vec(value.clone(), 0..3), vec(entry, 0..3)).prop_map(|(mut reply, entries)| {
            reply.extend(entries.concat());
            reply
        });
        fuzz("replies", &prop_oneof![vec(value, 0..12), page], |reply| {
            _ = decode_receipt(&reply);
            let length = reply.len();
            match decode_page(reply) {
                Ok(None) => assert_eq!(length, 0),
                Ok(Some((_, messages))) => assert_eq!(length, 2 + 7 * messages.len()),
                Err(_) => {}
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
