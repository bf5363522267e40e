//! Who calls, and what this person may do.

use crate::domain::chat::Chat;
use crate::domain::member::Member;
use std::time::{Duration, SystemTime};

/// How much the clocks of an issuer and a host may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Who calls: a person, or an app's own backend. It is proven, by a token or by code that is trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    name: String,
    member: Member,
    chat: Option<Chat>,
    service: bool,
    expires: Option<SystemTime>,
}

impl Caller {
    /// The person of this name, a name as in [`Member::parse`], in all chats and for ever.
    pub fn person(name: String) -> Result<Self, &'static str> {
        Ok(Self {
            member: Member::parse(&name)?,
            name,
            chat: None,
            service: false,
            expires: None,
        })
    }

    /// The same caller, until [`LEEWAY`] after `expires`.
    #[must_use]
    pub fn until(self, expires: SystemTime) -> Self {
        let expires = Some(expires);
        Self { expires, ..self }
    }

    /// The same caller, in this chat only.
    #[must_use]
    pub fn only_in(self, chat: Chat) -> Self {
        let chat = Some(chat);
        Self { chat, ..self }
    }

    /// An app's own backend: it may name any sender and read any chat.
    #[must_use]
    pub fn as_service(self) -> Self {
        Self { service: true, ..self }
    }

    /// The name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the caller is an app's own backend, which must name the person that it means.
    pub fn is_service(&self) -> bool {
        self.service
    }

    /// The name, as a member of chats.
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// Whether the caller is limited: a person whom a token proves. A service is not, nor is code that is trusted for whom it names.
    pub fn is_limited(&self) -> bool {
        !self.service && self.expires.is_some()
    }

    /// When what proves the caller expires; `None` for never.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// From when on the caller is unknown: [`LEEWAY`] after [`Caller::expires`]; `None` for never.
    pub fn ends(&self) -> Option<SystemTime> {
        self.expires?.checked_add(LEEWAY)
    }

    /// Whether the caller may read this chat.
    pub fn may_read(&self, chat: &Chat) -> bool {
        let inside = self.service || chat.members().contains(&&self.member);
        inside && self.chat.as_ref().is_none_or(|only| only == chat)
    }

    /// Whether the caller is this person.
    pub fn is(&self, person: &Member) -> bool {
        *person == self.member
    }

    /// Whether the caller is known in one chat only.
    pub fn is_in_one_chat(&self) -> bool {
        self.chat.is_some()
    }

    /// Whether the caller may send to this chat as the person whom `sender` names, in any spelling.
    pub fn may_send(&self, chat: &Chat, sender: &str) -> bool {
        let oneself = || Member::parse(sender).is_ok_and(|sender| self.is(&sender));
        self.may_read(chat) && (self.service || oneself())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Caller {
        Caller::person("Alice".into()).unwrap()
    }

    fn chat(names: &str) -> Chat {
        Chat::parse(names).unwrap()
    }

    #[test]
    fn a_person_reads_own_chats_and_sends_as_oneself() {
        for (names, sender, read, send) in [
            ("alice:bob", "alice", true, true),
            ("BOB:ALICE", "aLICE", true, true),
            ("alice:alice", "alice", true, true),
            ("alice:bob", "bob", true, false),
            ("alice:bob", "", true, false),
            ("alice:bob", "alice:bob", true, false),
            ("bob:carol", "alice", false, false),
            ("bob:carol", "bob", false, false),
            ("alicex:bob", "alice", false, false),
        ] {
            let chat = chat(names);
            let may = (alice().may_read(&chat), alice().may_send(&chat, sender));
            assert_eq!(may, (read, send), "{names} {sender}");
        }
    }

    #[test]
    fn a_service_may_be_anybody() {
        let backend = Caller::person("backend".into()).unwrap().as_service();
        assert!(backend.may_read(&chat("bob:carol")) && backend.may_send(&chat("bob:carol"), "bob"));
    }

    #[test]
    fn one_chat_is_no_other_chat() {
        for caller in [alice(), alice().as_service()] {
            let caller = caller.only_in(chat("Bob:alice"));
            assert!(caller.may_read(&chat("alice:bob")) && caller.may_send(&chat("alice:bob"), "alice"));
            assert!(!caller.may_read(&chat("alice:carol")) && !caller.may_send(&chat("alice:carol"), "alice"));
        }
    }

    #[test]
    fn a_person_with_a_token_is_limited() {
        let then = SystemTime::UNIX_EPOCH;
        assert!(alice().until(then).is_limited());
        assert!(!alice().until(then).as_service().is_limited() && !alice().is_limited());
    }

    #[test]
    fn a_caller_ends_after_the_leeway() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        assert_eq!(alice().until(then).ends(), Some(then + LEEWAY));
        assert_eq!(alice().ends(), None);
    }
}
