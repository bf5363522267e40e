//! What `append.lua` replies.

use crate::domain::error::Result;
use crate::redis::number;
use crate::store::reply::Unreadable;
use spin_sdk::redis::RedisResult;

/// What became of a message that was to be appended.
#[derive(Debug, PartialEq)]
pub(super) enum Appended {
    /// It is stored, by this request or by an earlier one.
    Stored {
        index: u64,
        send_time: u64,
        replayed: bool,
        /// For how many microseconds the sender's messages count, if there is a quota.
        used: Option<u64>,
    },
    /// The sender's quota is used up; nothing is stored.
    Limited {
        /// For how many microseconds the sender's messages count.
        used: u64,
    },
    /// Its idempotency key belongs to another text; nothing is stored.
    KeyReused,
    /// The other member has blocked the sender; nothing is stored.
    Blocked,
    /// The sender may send only in an open chat, and this is none; nothing is stored.
    Closed,
    /// There is no receipt, and nothing is stored: the script was only to look for one.
    Unknown,
}

impl Appended {
    /// For how many microseconds the sender's messages count, if there is a quota.
    pub(super) fn used(&self) -> Option<u64> {
        match self {
            Self::Stored { used, .. } => *used,
            Self::Limited { used } => Some(*used),
            Self::KeyReused | Self::Blocked | Self::Closed | Self::Unknown => None,
        }
    }
}

/// Decodes the reply.
pub(super) fn decode(reply: &[RedisResult]) -> Result<Appended, Unreadable> {
    let unknown = || Unreadable::of_reply("append.lua", reply);
    match reply {
        [RedisResult::Binary(word), index, send_time, used @ ..] if used.len() <= 1 => {
            let (index, send_time) = number(index).zip(number(send_time)).ok_or_else(unknown)?;
            Ok(Appended::Stored {
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
            Ok(Appended::Limited { used })
        }
        [RedisResult::Binary(word)] if word == b"reused" => Ok(Appended::KeyReused),
        [RedisResult::Binary(word)] if word == b"blocked" => Ok(Appended::Blocked),
        [RedisResult::Binary(word)] if word == b"closed" => Ok(Appended::Closed),
        [RedisResult::Binary(word)] if word == b"unknown" => Ok(Appended::Unknown),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use crate::redis::texts;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn a_receipt_is_a_word_and_two_numbers() {
        let reply = |word: &str, numbers: &[i64]| {
            let mut values = texts(&[word]);
            values.extend(numbers.iter().copied().map(RedisResult::Int64));
            decode(&values)
        };
        let sent = |replayed, used| {
            Ok(Appended::Stored {
                index: 41,
                send_time: 17,
                replayed,
                used,
            })
        };
        assert_eq!(reply("stored", &[41, 17]), sent(false, None));
        assert_eq!(reply("stored", &[41, 17, 5]), sent(false, Some(5)));
        assert_eq!(reply("replayed", &[41, 17, 0]), sent(true, Some(0)));
        assert_eq!(reply("limited", &[5]), Ok(Appended::Limited { used: 5 }));
        assert_eq!(reply("reused", &[]), Ok(Appended::KeyReused));
        assert_eq!(reply("blocked", &[]), Ok(Appended::Blocked));
        assert_eq!(reply("closed", &[]), Ok(Appended::Closed));
        assert_eq!(reply("unknown", &[]), Ok(Appended::Unknown));
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
        let refused = decode(&texts(&["unreadable", "WRONGTYPE"]));
        assert_eq!(refused, Err(Unreadable("WRONGTYPE".to_owned())));
    }

    #[test]
    fn fuzz_receipts() {
        let words = &[
            "17",
            "stored",
            "replayed",
            "limited",
            "reused",
            "blocked",
            "closed",
            "unknown",
            "unreadable",
        ];
        let value = prop_oneof![
            4 => near(words).prop_map(RedisResult::Binary),
            4 => select(&words[..]).prop_map(|word| RedisResult::Binary(word.as_bytes().to_vec())),
            4 => any::<i64>().prop_map(RedisResult::Int64),
            1 => Just(RedisResult::Nil),
            1 => Just(RedisResult::Status("OK".into())),
        ];
        fuzz("receipts", &vec(value, 0..5), |reply| {
            if let Ok(Appended::Stored { .. }) = decode(&reply) {
                assert!(matches!(
                    &reply[..],
                    [_, RedisResult::Int64(0..), RedisResult::Int64(0..), ..]
                ));
            }
        });
    }
}
