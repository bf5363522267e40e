//! Chats: what two names make.

use crate::domain::error::{Error, Field, Result};
use crate::domain::member::Member;
use std::fmt;

/// A chat: its two members in one order, so that `a:b` and `B:A` are equal. The members may be equal: notes to oneself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    first: Member,
    second: Member,
}

impl Chat {
    /// Parses `name1:name2`: exactly two names, each as in [`Member::parse`].
    pub fn parse(names: &str) -> Result<Self> {
        let invalid = |reason: String| Error::invalid(Field::Chat, reason);
        let (one, other) = names
            .split_once(':')
            .filter(|(_, other)| !other.contains(':'))
            .ok_or_else(|| invalid("must be two names with one colon between them, like \"alice:bob\"".into()))?;
        let member = |name| Member::parse(name).map_err(|why| invalid(format!("each of its two names {why}")));
        Ok(Self::of(member(one)?, member(other)?))
    }

    /// The chat of two members, who may be one person.
    pub fn of(one: Member, other: Member) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Self { first, second }
    }

    /// The two members, the lesser first.
    pub fn members(&self) -> [&Member; 2] {
        [&self.first, &self.second]
    }

    /// The member that is not `member`; the same one in a chat with oneself.
    pub fn other(&self, member: &Member) -> &Member {
        if *member == self.first {
            &self.second
        } else {
            &self.first
        }
    }

    /// The member that `name` means, in any spelling; `None` if it is neither of the two.
    pub fn member(&self, name: &str) -> Option<&Member> {
        let named = Member::parse(name).ok()?;
        self.members().into_iter().find(|member| **member == named)
    }
}

/// The folded names with a colon between them, the lesser first.
impl fmt::Display for Chat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.first.as_str(), self.second.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::member::MAX_NAME_CHARS;

    fn chat(written: &str) -> Chat {
        Chat::parse(written).unwrap()
    }

    #[test]
    fn order_and_spelling_do_not_make_another_chat() {
        for (one, other) in [
            ("a:b", "b:a"),
            ("Alice:bob", "BOB:aLICE"),
            ("Οδυσσέας:q", "Q:ΟΔΥΣΣΈΑΣ"),
            ("Ünal:x", "x:u\u{308}nal"),
            ("A:a", "a:A"),
        ] {
            assert_eq!(chat(one), chat(other), "{one} and {other}");
        }
    }

    #[test]
    fn different_names_are_different_chats() {
        for (one, other) in [
            ("a:b", "a:c"),
            ("a:a", "a:b"),
            ("i:x", "İ:x"),
            ("ab:c", "a:bc"),
            ("a b:c", "a:b c"),
        ] {
            assert_ne!(chat(one), chat(other), "{one} and {other}");
        }
    }

    #[test]
    fn a_chat_is_two_names() {
        let longest = "é".repeat(MAX_NAME_CHARS);
        for written in [
            "a:b",
            "a:a",
            "a b:{c}",
            "😀:%7B",
            "'\"\\:\u{202e}",
            &format!("{longest}:{longest}"),
        ] {
            _ = chat(written);
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        let too_long = format!("a:{}", "b".repeat(MAX_NAME_CHARS + 1));
        for (written, reason) in [
            ("", "two names"),
            ("ab", "two names"),
            ("a:b:c", "two names"),
            ("::", "two names"),
            (":", "empty"),
            ("a:", "empty"),
            (":b", "empty"),
            ("a:\0", "control"),
            ("a\n:b", "control"),
            ("a:\u{85}", "control"),
            (too_long.as_str(), "at most 64"),
        ] {
            let Err(Error::Invalid { field, reason: got }) = Chat::parse(written) else {
                panic!("{written:?} was accepted");
            };
            assert_eq!(field, Some(Field::Chat), "{written:?}");
            assert!(got.contains(reason), "{written:?}: {got}");
        }
    }

    #[test]
    fn a_member_is_known_in_any_spelling() {
        let chat = chat("Zoé:bob");
        for (name, member) in [("zoé", "zoé"), ("ZOE\u{301}", "zoé"), ("Bob", "bob")] {
            assert_eq!(chat.member(name).unwrap().as_str(), member);
        }
        let other = |name: &str| chat.other(chat.member(name).unwrap()).as_str();
        assert_eq!(
            (other("ZOÉ"), other("bob"), chat.to_string().as_str()),
            ("bob", "zoé", "bob:zoé")
        );
        for name in ["", "zo", "zoe", "zoé:bob", "zoé ", "carol"] {
            assert_eq!(chat.member(name), None, "{name}");
        }
    }
}
