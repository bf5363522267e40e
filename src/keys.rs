//! The key schema: every Redis key that confab writes, one function a key space.
//!
//! | key | type | holds |
//! |---|---|---|
//! | `confab:{<room>}:log` | stream | a chat's messages |
//!
//! `<room>` is the chat's two members, lower case, the lesser first, a colon between them. The braces are a Redis Cluster
//! hash tag, so all keys of a chat are in one slot. `%`, `{`, `}` and all beyond ASCII are percent-encoded: no two rooms share a key,
//! and no name can break the tag.

use crate::chat::Room;
use percent_encoding::{AsciiSet, utf8_percent_encode};

const ESCAPED: &AsciiSet = &AsciiSet::EMPTY.add(b'%').add(b'{').add(b'}');

/// The stream of a chat's messages.
pub fn log(room: &Room) -> String {
    let [first, second] = room.members().map(|member| utf8_percent_encode(member, ESCAPED));
    format!("confab:{{{first}:{second}}}:log")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Chat;

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
    }
}
