//! Appends a message to its chat log, once.

use crate::domain::error::{Error, Result};
use crate::domain::message::{Author, Draft, Receipt};
use crate::domain::quota::Quota;
use crate::domain::server_log;
use crate::store::cluster;
use crate::store::keys;
use crate::store::receipt::Place;
use crate::store::reply::{Unreadable, number};
use crate::store::script::Script;
use crate::store::session::Session;
use crate::store::touch::touch;
use spin_sdk::redis::RedisResult;
use spin_sdk::wasip3::random::random::get_random_u64;
use std::cell::Cell;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static APPEND: Script = Script::sending(concat!(
    include_str!("entry.lua"),
    include_str!("touch.lua"),
    include_str!("append.lua")
));

/// How far a send time may be ahead of the host's clock without a word.
const MOST_AHEAD: Duration = Duration::from_mins(1);

/// Appends a message to its chat log, once whatever happens on the way, and returns when Redis has it.
///
/// The index is one above the newest one. The time is Redis's, made greater than the newest one, so index and time always agree,
/// whatever clocks do. A message whose key was used for the same text within the window is not stored again: the receipt is
/// that of the first one. With another text, it fails with [`Error::KeyReused`]. If its sender has a quota, it counts in it once it is
/// stored; if the quota is used up, it fails with [`Error::TooManySends`], and stores nothing.
pub async fn append(session: &Session, draft: &Draft) -> Result<Receipt> {
    let log = keys::log(draft.chat());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let quota = session.send_quota.filter(|_| draft.author() == Author::Sender);
    let reply = run(session, draft, quota, now).await?;
    let reply = decode(&reply).map_err(|why| why.at(&log))?;
    if cluster::is_divided()
        && let Reply::Sent { send_time, .. } = reply
    {
        // Also for a replay: the first request may have ended before this.
        touch(session, draft.chat(), draft.member(), Some(send_time)).await?;
    }
    match reply {
        Reply::Sent {
            index,
            send_time,
            replayed,
            used,
        } => {
            if !replayed {
                compare_clocks(&log, Duration::from_micros(send_time), now);
            }
            Ok(Receipt {
                index,
                send_time,
                replayed,
                allowance: quota.zip(used).map(|(quota, used)| quota.allowance(used)),
            })
        }
        Reply::Limited { used } => Err(quota.map_or_else(
            || Error::internal("append.lua limits a sender who has no quota".to_owned()),
            |quota| Error::TooManySends(quota.allowance(used)),
        )),
        Reply::KeyReused => Err(Error::KeyReused),
    }
}

/// Runs the script, in a Cluster with the keys of the chat's slot alone.
async fn run(session: &Session, draft: &Draft, quota: Option<Quota>, now: Duration) -> Result<Vec<RedisResult>> {
    let place = Place::of(session, draft, nonce(), now);
    let entry = [draft.sender(), ":", draft.text()].concat();
    let cap = session.max_messages.map_or(0, NonZeroU64::get);
    let [interval, span] = quota.map_or([0, 0], |quota| [quota.interval(), quota.span()]);
    let replicas = session.redis_replicas;
    let numbers = [place.must_keep, place.keep, cap, interval, span, replicas].map(u64::to_be_bytes);
    let has_read = [u8::from(draft.author() != Author::Service)];
    let packed = [&place.field[..], &place.tokens, numbers.as_flattened(), &has_read].concat();
    let arguments = [entry.as_bytes(), &packed];
    let (sender, other) = (draft.member(), draft.chat().other(draft.member()));
    let of_chat = [keys::log(draft.chat()), keys::marks(draft.chat())];
    let of_members = [
        keys::inbox(sender),
        keys::inbox(other),
        keys::feed(sender),
        keys::feed(other),
    ];
    let rate = quota.map(|_| keys::rate(sender));
    let keys = of_chat.iter().chain(&of_members).chain(&place.buckets).chain(&rate);
    let keys: Vec<_> = keys.map(String::as_str).collect();
    if let Some(reply) = APPEND.run_undivided(session, &keys, &arguments).await? {
        return Ok(reply);
    }
    if quota.is_some() {
        let why = "the variable send_limit is set, and a Redis Cluster cannot count sends yet";
        return Err(Error::internal(why.to_owned()));
    }
    let keys: Vec<_> = of_chat.iter().chain(&place.buckets).map(String::as_str).collect();
    let members = [sender, other].map(keys::field);
    let members = members.iter().map(String::as_bytes);
    let arguments: Vec<_> = arguments.into_iter().chain(members).collect();
    APPEND.run(session, &keys, &arguments).await
}

/// Writes one line per instance to the server log if a message is sent in the future: its chat keeps such times until they have come.
fn compare_clocks(log: &str, send_time: Duration, now: Duration) {
    thread_local! {
        static REPORTED: Cell<bool> = const { Cell::new(false) };
    }
    let ahead = send_time.saturating_sub(now);
    if ahead > MOST_AHEAD && !REPORTED.replace(true) {
        let seconds = ahead.as_secs();
        let cause =
            format!("{log} has a send_time {seconds} s ahead of this host's clock: Redis's clock is or was ahead");
        server_log::noticed("clock-ahead", &keys::without_names(&cause));
    }
}

/// A number that no other request has, of this instance or another.
fn nonce() -> [u64; 2] {
    thread_local! {
        static NEXT: Cell<Option<[u64; 2]>> = const { Cell::new(None) };
    }
    // The host is asked once per instance, as each call costs; 128 random bits leave room to count up from.
    let [of_instance, number] = NEXT.get().unwrap_or_else(|| [get_random_u64(), get_random_u64()]);
    NEXT.set(Some([of_instance, number.wrapping_add(1)]));
    [of_instance, number]
}

/// What `append.lua` replies.
#[derive(Debug, PartialEq)]
enum Reply {
    Sent {
        index: u64,
        send_time: u64,
        replayed: bool,
        /// For how many microseconds the sender's messages count, if there is a quota.
        used: Option<u64>,
    },
    Limited {
        used: u64,
    },
    KeyReused,
}

fn decode(reply: &[RedisResult]) -> Result<Reply, Unreadable> {
    let unknown = || Unreadable::of_reply("append.lua", reply);
    match reply {
        [RedisResult::Binary(word), index, send_time, used @ ..] if used.len() <= 1 => {
            let (index, send_time) = number(index).zip(number(send_time)).ok_or_else(unknown)?;
            Ok(Reply::Sent {
                index,
                send_time,
                replayed: match word.as_slice() {
                    b"stored" => false,
                    b"replayed" => true,
                    _ => return Err(unknown()),
                },
                used: used.first().and_then(number),
            })
        }
        [RedisResult::Binary(word), RedisResult::Int64(used)] if word == b"limited" => {
            let used = u64::try_from(*used).map_err(|_| unknown())?;
            Ok(Reply::Limited { used })
        }
        [RedisResult::Binary(word)] if word == b"reused" => Ok(Reply::KeyReused),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use crate::store::reply::strings;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn a_receipt_is_a_word_and_two_numbers() {
        let reply = |word: &str, numbers: &[i64]| {
            let mut values = strings(&[word]);
            values.extend(numbers.iter().copied().map(RedisResult::Int64));
            decode(&values)
        };
        let sent = |replayed, used| {
            Ok(Reply::Sent {
                index: 41,
                send_time: 17,
                replayed,
                used,
            })
        };
        assert_eq!(reply("stored", &[41, 17]), sent(false, None));
        assert_eq!(reply("stored", &[41, 17, 5]), sent(false, Some(5)));
        assert_eq!(reply("replayed", &[41, 17, 0]), sent(true, Some(0)));
        assert_eq!(reply("limited", &[5]), Ok(Reply::Limited { used: 5 }));
        assert_eq!(reply("reused", &[]), Ok(Reply::KeyReused));
        for (word, numbers) in [
            ("stored", &[-1, 17][..]),
            ("stored", &[41]),
            ("stored", &[41, 17, 5, 5]),
            ("limited", &[-1]),
            ("limited", &[]),
            ("else", &[41, 17]),
            ("else", &[]),
        ] {
            let Unreadable(why) = reply(word, numbers).unwrap_err();
            assert!(why.contains("unknown shape"), "{word} {numbers:?}: {why}");
        }
        assert!(decode(&[]).is_err());
        let refused = decode(&strings(&["unreadable", "WRONGTYPE"]));
        assert_eq!(refused, Err(Unreadable("WRONGTYPE".to_owned())));
    }

    #[test]
    fn fuzz_receipts() {
        let words = &["17", "stored", "replayed", "limited", "reused", "unreadable"];
        let value = prop_oneof![
            4 => near(words).prop_map(RedisResult::Binary),
            4 => select(&words[..]).prop_map(|word| RedisResult::Binary(word.as_bytes().to_vec())),
            4 => any::<i64>().prop_map(RedisResult::Int64),
            1 => Just(RedisResult::Nil),
            1 => Just(RedisResult::Status("OK".into())),
        ];
        fuzz("receipts", &vec(value, 0..5), |reply| {
            if let Ok(Reply::Sent { .. }) = decode(&reply) {
                assert!(matches!(
                    &reply[..],
                    [_, RedisResult::Int64(0..), RedisResult::Int64(0..), ..]
                ));
            }
        });
    }
}
