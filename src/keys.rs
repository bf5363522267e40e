//! The key schema: every Redis key that confab writes, one function a key space.
//!
//! | key | type | holds |
//! |---|---|---|
//! | `confab:{<room>}:log` | stream | a chat's messages |
//! | `confab:{<room>}:sent:<member>:<key>` | string, expires | the receipt of a message sent with an idempotency key |
//! | `confab:{<room>}:try:<nonce>` | string, expires | the receipt of a message sent without one |
//!
//! `<room>` is the chat's two members, lower case, the lesser first, a colon between them. The braces are a Redis Cluster
//! hash tag, so all keys of a chat are in one slot. `%`, `{`, `}` and all beyond ASCII are percent-encoded: no two rooms share a key,
//! and no name can break the tag.
//!
//! What a key holds never changes: another format takes another name, so that versions of confab that run side by side
//! cannot misread each other.

use crate::chat::{Member, Room};
use crate::message::IdempotencyKey;
use percent_encoding::{AsciiSet, PercentEncode, utf8_percent_encode};

const ESCAPED: &AsciiSet = &AsciiSet::EMPTY.add(b'%').add(b'{').add(b'}');

/// The stream of a chat's messages.
pub fn log(room: &Room) -> String {
    of_room(room, format_args!("log"))
}

/// The receipt of the message that a member calls by this key.
pub fn sent(room: &Room, member: &Member, key: &IdempotencyKey) -> String {
    of_room(room, format_args!("sent:{}:{}", escaped(member), key.as_str()))
}

/// The receipt of the message of one request.
pub fn attempt(room: &Room, nonce: [u64; 2]) -> String {
    let [one, other] = nonce;
    of_room(room, format_args!("try:{one:016x}{other:016x}"))
}

fn of_room(room: &Room, what: std::fmt::Arguments) -> String {
    let [first, second] = room.members().map(escaped);
    format!("confab:{{{first}:{second}}}:{what}")
}

fn escaped(member: &Member) -> PercentEncode<'_> {
    utf8_percent_encode(member.as_str(), ESCAPED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Chat;
    use crate::fuzz::{fuzz, near};

    #[test]
    fn fuzz_keys() {
        let names = near(&["a:b", "B:A", "{:}", "%7B:%7b", "é:É"]);
        fuzz("keys", &(names.clone(), names), |(one, other)| {
            let chat = |name: &[u8]| Chat::parse(String::from_utf8_lossy(name).into_owned());
            let (Ok(one), Ok(other)) = (chat(&one), chat(&other)) else {
                return;
            };
            let (one, other) = (one.room(), other.room());
            assert_eq!(log(one) == log(other), one == other, "{one:?} {other:?}");
            let key = log(one);
            assert!(key.starts_with("confab:{") && key.ends_with("}:log"), "{key}");
            assert_eq!((key.matches('{').count(), key.matches('}').count()), (1, 1), "{key}");
        });
    }

    #[test]
    fn keys_are_what_they_have_always_been() {
        for (chat, key) in [
            ("alice:bob", "confab:{alice:bob}:log"),
            ("Bob:ALICE", "confab:{alice:bob}:log"),
            ("a:a", "confab:{a:a}:log"),
            ("}{:%7B", "confab:{%257b:%7D%7B}:log"),
            ("ö:\"'", "confab:{\"':%C3%B6}:log"),
        ] {
            assert_eq!(log(Chat::parse(chat.into()).unwrap().room()), key, "{chat}");
        }
        let chat = Chat::parse("Alice:{".into()).unwrap();
        let key = IdempotencyKey::parse("{k}:1".into()).unwrap();
        for (member, expected) in [
            ("ALICE", "confab:{alice:%7B}:sent:alice:{k}:1"),
            ("{", "confab:{alice:%7B}:sent:%7B:{k}:1"),
        ] {
            assert_eq!(sent(chat.room(), chat.member(member).unwrap(), &key), expected);
        }
        let nonce = attempt(chat.room(), [1, u64::MAX]);
        assert_eq!(nonce, "confab:{alice:%7B}:try:0000000000000001ffffffffffffffff");
    }
}
