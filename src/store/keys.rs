//! The key schema: every Redis key that confab writes, one function per key space.
//!
//! | key | type | expires | written by | holds |
//! |---|---|---|---|---|
//! | `confab:{<chat>}:log` | stream | no | `append.lua` | messages: id `<epoch>-<index>`, a field, the time, with `<sender>:<text>`, and a second one, `data`, if the message has data; notices: the time, and `notice` with `deleted <index> <time> <by>` |
//! | `confab:{<chat>}:sent:<length>:<bucket>` | hash | when no receipt in it need be kept | `append.lua` | the receipts of the messages sent in `length` seconds, the `bucket`-th since 1970 |
//! | `confab:{<chat>}:marks` | hash | no | `append.lua`, `mark.lua` | per member the position up to which they have read |
//! | `confab:{<chat>}:settings` | hash | no | `settings.lua`, `delete_chat.lua` | `1` or `0` for `blocked:<member>` (the other may not send), `muted:<member>`, and `open`; `epoch`, that of a log that was deleted |
//! | `confab:{<chat>}:holes` | string | no | `delete.lua` | 8 bytes of epoch, then a bit for each place of the log that is no message: deleted ones and notices |
//! | `confab:{<chat>}:rewriting` | stream | at its end | `scripts/rewrite` | the log that is written anew |
//! | `confab:{<member>}:inbox` | sorted set | no | `append.lua` | `<chat>` by the time of its newest message |
//! | `confab:{<member>}:feed` | stream, capped | 600 s after its last follower | `feed.lua`; `append.lua`, `mark.lua`, `settings.lua` and `delete.lua` while it is there | one field: `<chat>`, in which something changed |
//! | `confab:{<member>}:rate` | string | when it counts no longer | `append.lua`, with `send_limit` | until when the member's sends count, in microseconds since 1970 |
//! | `confab:{<member>}:charges` | string | the same | `charge.lua`, with `send_limit` in a Cluster | `<until then>:<nonces>`, of the last 128 requests that counted |
//! | `confab:{<member>}:streams` | sorted set | when its last lease ends | `lease.lua`, with `auth = required` | the leases of the member's streams and waiting pulls, by the time in microseconds at which they end |
//! | `confab:{<member>}:exports` | sorted set | the same | the same | the leases of the member's exports |
//!
//! `<chat>` is the two members as `Member` folds them, the lesser first, with a colon between them. The braces are a Redis Cluster
//! hash tag, so all keys of a chat are in one slot, and those of a person in another: a name has no colon. `%`, `{`, `}` and all beyond
//! ASCII are percent-encoded: no two chats share a key, and no name can break the tag.
//!
//! A receipt's field is the first 12 bytes of SHA-1(member + key): the member is `0` or `1`, the key is the idempotency key, or the
//! nonce of a request without one. Its value is, packed in big-endian order: 7 bytes of epoch, 6 of index, 7 of time, 4 of SHA-1(text),
//! or of SHA-1(text + 0xFF + data) with data (0 without an idempotency key) and 4 of the nonce.
//!
//! What a key holds never changes: another format takes another name, so that versions of confab that run side by side
//! cannot misread each other.

use crate::domain::chat::Chat;
use crate::domain::member::Member;
use percent_encoding::{AsciiSet, PercentEncode, percent_decode, utf8_percent_encode};
use sha1_smol::Sha1;

/// What each key begins with.
const PREFIX: &str = "confab:{";

const ESCAPED: &AsciiSet = &AsciiSet::EMPTY.add(b'%').add(b'{').add(b'}');

/// The chat log.
pub(super) fn log(chat: &Chat) -> String {
    of_chat(chat, format_args!("log"))
}

/// The receipts of the messages sent in the `bucket`-th `length` of seconds since the Unix epoch.
pub(super) fn receipts(chat: &Chat, length: u64, bucket: u64) -> String {
    of_chat(chat, format_args!("sent:{length}:{bucket}"))
}

/// The marks of a chat's members.
pub(super) fn marks(chat: &Chat) -> String {
    of_chat(chat, format_args!("marks"))
}

/// What is set for a chat.
pub(super) fn settings(chat: &Chat) -> String {
    of_chat(chat, format_args!("settings"))
}

/// The places of a chat log that are no message.
pub(super) fn holes(chat: &Chat) -> String {
    of_chat(chat, format_args!("holes"))
}

/// A member's chats by the time of their newest message.
pub(super) fn inbox(member: &Member) -> String {
    format!("confab:{{{}}}:inbox", escaped(member))
}

/// What changes in a member's chats, while somebody follows them.
pub(super) fn feed(member: &Member) -> String {
    format!("confab:{{{}}}:feed", escaped(member))
}

/// Until when a member's sends count.
pub(super) fn rate(member: &Member) -> String {
    format!("confab:{{{}}}:rate", escaped(member))
}

/// Until when a member's sends count in a Cluster, and which the last ones are.
pub(super) fn charges(member: &Member) -> String {
    format!("confab:{{{}}}:charges", escaped(member))
}

/// The leases of a member's streams.
pub(super) fn streams(member: &Member) -> String {
    format!("confab:{{{}}}:streams", escaped(member))
}

/// The leases of a member's exports.
pub(super) fn exports(member: &Member) -> String {
    format!("confab:{{{}}}:exports", escaped(member))
}

/// A chat, as inboxes and feeds name it: what stands between the braces of its keys.
pub(super) fn tag(chat: &Chat) -> String {
    let [first, second] = chat.members().map(escaped);
    format!("{first}:{second}")
}

/// The chat of a tag; `None` if no chat has it.
pub(super) fn chat_of(tag: &[u8]) -> Option<Chat> {
    let decoded = percent_decode(tag).decode_utf8().ok()?;
    Chat::parse(&decoded).ok()
}

/// A member, as marks name it.
pub(super) fn field(member: &Member) -> String {
    escaped(member).to_string()
}

/// A text for the server log: the names in each Redis key are replaced by `#` and the first 12 digits of their SHA-1.
///
/// Whoever can list the keys can find the one that is meant: `docs/deployment.md` says how.
pub(super) fn without_names(text: &str) -> String {
    let (first, rest) = text.split_once(PREFIX).unwrap_or((text, ""));
    let shown = |part: &str| {
        // A name has no brace in a key: it is escaped.
        let (names, after) = part.split_once('}').unwrap_or((part, ""));
        let digest = Sha1::from(names).digest().to_string();
        format!("{PREFIX}#{digest:.12}}}{after}")
    };
    let keys = rest.split(PREFIX).filter(|part| !part.is_empty()).map(shown);
    [first.to_owned()].into_iter().chain(keys).collect()
}

fn of_chat(chat: &Chat, what: std::fmt::Arguments) -> String {
    format!("confab:{{{}}}:{what}", tag(chat))
}

fn escaped(member: &Member) -> PercentEncode<'_> {
    utf8_percent_encode(member.as_str(), ESCAPED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};

    #[test]
    fn fuzz_keys() {
        let names = near(&["a:b", "B:A", "{:}", "%7B:%7b", "é:É"]);
        fuzz("keys", &(names.clone(), names), |(one, other)| {
            let chat = |name: &[u8]| Chat::parse(&String::from_utf8_lossy(name));
            let (Ok(one), Ok(other)) = (chat(&one), chat(&other)) else {
                return;
            };
            let (one, other) = (&one, &other);
            assert_eq!(log(one) == log(other), one == other, "{one:?} {other:?}");
            let key = log(one);
            assert!(key.starts_with("confab:{") && key.ends_with("}:log"), "{key}");
            assert_eq!(chat_of(tag(one).as_bytes()).as_ref(), Some(one));
            assert!(one.members().iter().all(|member| !inbox(member).contains(&tag(one))));
            assert_eq!((key.matches('{').count(), key.matches('}').count()), (1, 1), "{key}");
        });
    }

    #[test]
    fn names_in_keys_are_replaced_by_a_digest() {
        let text = "at confab:{alice:bob}:log: confab:{%7B}:inbox}: 5-0";
        assert_eq!(
            without_names(text),
            "at confab:{#6270f4a8d495}:log: confab:{#0197969dfe77}:inbox}: 5-0"
        );
        for same in ["", "no key", "confab: {x}"] {
            assert_eq!(without_names(same), same);
        }
        assert!(!without_names("confab:{alice").contains("alice"));
    }

    #[test]
    fn keys_are_what_they_have_always_been() {
        for (chat, key) in [
            ("alice:bob", "confab:{alice:bob}:log"),
            ("Bob:ALICE", "confab:{alice:bob}:log"),
            ("a:a", "confab:{a:a}:log"),
            ("}{:%7B", "confab:{%257b:%7D%7B}:log"),
            ("ö:\"'", "confab:{\"':%C3%B6}:log"),
            ("O\u{308}:\"'", "confab:{\"':%C3%B6}:log"),
            (
                "Ὀδυσσεύς:S",
                "confab:{s:%E1%BD%80%CE%B4%CF%85%CF%83%CF%83%CE%B5%CF%8D%CF%83}:log",
            ),
            ("ſ:ẞ", "confab:{s:%C3%9F}:log"),
            ("ﬁ:İ", "confab:{%C4%B0:%EF%AC%81}:log"),
        ] {
            assert_eq!(log(&Chat::parse(chat).unwrap()), key, "{chat}");
        }
        let chat = Chat::parse("Alice:{").unwrap();
        assert_eq!(receipts(&chat, 64, 7), "confab:{alice:%7B}:sent:64:7");
        let member = chat.member("{").unwrap();
        assert_eq!(marks(&chat), "confab:{alice:%7B}:marks");
        assert_eq!(settings(&chat), "confab:{alice:%7B}:settings");
        assert_eq!(holes(&chat), "confab:{alice:%7B}:holes");
        assert_eq!(
            [inbox, feed, rate, streams, exports].map(|key| key(member)),
            ["inbox", "feed", "rate", "streams", "exports"].map(|what| format!("confab:{{%7B}}:{what}"))
        );
        assert_eq!((tag(&chat), field(member)), ("alice:%7B".into(), "%7B".into()));
    }
}
