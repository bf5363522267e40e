//! What a member, or the app's own service, has set for a chat.

use crate::domain::chat::Chat;
use crate::domain::error::{Error, Field, Result};
use crate::domain::member::Member;

/// What a client sends to set something for a chat, each value as it came.
#[derive(Debug, Default)]
pub struct SettingsFields {
    /// Whose side of the chat; `None` for the caller's.
    pub name: Option<String>,
    /// The chat's two names.
    pub chat: Option<String>,
    /// What is to be set.
    pub change: Change,
}

/// What is to be set for a chat. What is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Whether the other member may not send.
    pub blocked: Option<bool>,
    /// Whether the member wants to hear nothing of the chat.
    pub muted: Option<bool>,
    /// Whether persons may send in the chat.
    pub open: Option<bool>,
}

impl Change {
    /// Whether it is of one member's side.
    pub fn is_of_a_side(&self) -> bool {
        self.blocked.or(self.muted).is_some()
    }
}

/// A member's own side of a chat. The other member does not see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// The other member may not send.
    pub blocked: bool,
    /// The member wants to hear nothing of the chat.
    pub muted: bool,
}

/// A request to set something for a chat.
#[derive(Debug, PartialEq)]
pub struct SettingsRequest {
    /// Which chat.
    pub chat: Chat,
    /// Whose side: one of its two members; `None` if nothing of a side is to be set.
    pub member: Option<Member>,
    /// What is to be set: one thing at least.
    pub change: Change,
}

impl SettingsRequest {
    /// Parses a request. If something of a side is to be set, `member` is there, and in the chat. In a chat with oneself, nobody can be
    /// blocked.
    pub fn parse(chat: Chat, member: Option<Member>, change: Change) -> Result<Self> {
        if change == Change::default() {
            return Err(Error::invalid(Field::Blocked, "is required, or muted, or open"));
        }
        match &member {
            Some(member) if !chat.members().contains(&member) => {
                return Err(Error::invalid(Field::Name, "must be one of the chat's two names"));
            }
            None if change.is_of_a_side() => return Err(Error::invalid(Field::Name, "is required")),
            Some(member) if change.blocked == Some(true) && chat.other(member) == member => {
                return Err(Error::invalid(
                    Field::Blocked,
                    "must not be true in a chat with oneself",
                ));
            }
            Some(_) | None => {}
        }
        Ok(Self { chat, member, change })
    }
}

/// What is set for a chat.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The chat.
    pub chat: Chat,
    /// The member's own side; `None` if the request was for nobody's.
    pub side: Option<Side>,
    /// Whether the service has opened the chat.
    pub open: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_of_a_member_s_own_side_or_of_the_whole_chat() {
        let parse = |chat: &str, name: Option<&str>, change| {
            let member = name.map(|name| Member::parse(name).unwrap());
            SettingsRequest::parse(Chat::parse(chat).unwrap(), member, change)
        };
        let blocked = Change {
            blocked: Some(true),
            ..Change::default()
        };
        let open = Change {
            open: Some(false),
            ..Change::default()
        };
        assert!(parse("a:b", Some("B"), blocked).is_ok());
        assert!(parse("a:b", None, open).is_ok());
        for (chat, name, change, field) in [
            ("a:b", Some("a"), Change::default(), Field::Blocked),
            ("a:b", Some("c"), blocked, Field::Name),
            ("a:b", None, blocked, Field::Name),
            ("a:A", Some("a"), blocked, Field::Blocked),
        ] {
            let Err(Error::Invalid { field: Some(at), .. }) = parse(chat, name, change) else {
                panic!("{chat} {name:?} is accepted");
            };
            assert_eq!(at, field, "{chat} {name:?}");
        }
    }
}
