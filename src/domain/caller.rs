//! Who calls, and what this caller may do.

use crate::domain::chat::Chat;
use crate::domain::member::Member;
use std::time::{Duration, SystemTime};

/// How much the clocks of an issuer and a host may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Who calls. A person or a service is proven, by a token or by code that is trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    who: Who,
    chat: Option<Chat>,
    expires: Option<SystemTime>,
}

#[derive(Clone, Debug, PartialEq)]
enum Who {
    Anybody,
    Component,
    Person(Name),
    Service(Name),
}

/// A name, as it was given and as a member of chats.
#[derive(Clone, Debug, PartialEq)]
struct Name {
    given: String,
    member: Member,
}

impl Caller {
    /// Whoever calls an open deployment, which asks nobody who they are: may do anything.
    pub fn anybody() -> Self {
        Self::new(Who::Anybody)
    }

    /// A component that is composed with this one, and that names nobody on whose behalf it calls: is trusted, and may do anything.
    pub fn component() -> Self {
        Self::new(Who::Component)
    }

    /// The person of this name, a name as in [`Member::parse`], in all chats and for ever.
    pub fn person(name: String) -> Result<Self, &'static str> {
        let member = Member::parse(&name)?;
        let given = name;
        Ok(Self::new(Who::Person(Name { given, member })))
    }

    fn new(who: Who) -> Self {
        let (chat, expires) = (None, None);
        Self { who, chat, expires }
    }

    /// This caller, until [`LEEWAY`] after `expires`.
    #[must_use]
    pub fn until(self, expires: SystemTime) -> Self {
        let expires = Some(expires);
        Self { expires, ..self }
    }

    /// This caller, in this chat only.
    #[must_use]
    pub fn only_in(self, chat: Chat) -> Self {
        let chat = Some(chat);
        Self { chat, ..self }
    }

    /// An app's own backend, if the caller has a name: it may name any sender and read any chat.
    #[must_use]
    pub fn as_service(self) -> Self {
        let who = match self.who {
            Who::Person(name) => Who::Service(name),
            other => other,
        };
        Self { who, ..self }
    }

    /// The name, as it was given; `None` if the caller has none.
    pub fn name(&self) -> Option<&str> {
        self.named().map(|name| name.given.as_str())
    }

    /// The caller's name in the one form; `None` if the caller has none.
    pub fn member(&self) -> Option<&Member> {
        self.named().map(|name| &name.member)
    }

    /// Whether the caller is a person, who can mean nobody but themselves. All others must name the person that they mean.
    pub fn is_person(&self) -> bool {
        matches!(self.who, Who::Person(_))
    }

    /// Whether something proves who calls: a token, or code that is trusted.
    pub fn is_proven(&self) -> bool {
        self.who != Who::Anybody
    }

    /// Whether the caller is an app's own backend.
    pub fn is_service(&self) -> bool {
        matches!(self.who, Who::Service(_))
    }

    /// Whether limits apply to the caller: to a person whom a token proves. No limit applies to a service, to a component, or to a person
    /// on whose behalf a component calls.
    pub fn is_limited(&self) -> bool {
        self.is_person() && self.expires.is_some()
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
        let inside = chat.members().into_iter().any(|member| self.may_be(member));
        inside && self.chat.as_ref().is_none_or(|only| only == chat)
    }

    /// Whether the caller may act as this person: anybody but a person may act as everybody.
    pub fn may_be(&self, person: &Member) -> bool {
        match &self.who {
            Who::Person(name) => name.member == *person,
            Who::Anybody | Who::Component | Who::Service(_) => true,
        }
    }

    /// Whether the caller is known in one chat only.
    pub fn is_in_one_chat(&self) -> bool {
        self.chat.is_some()
    }

    /// Whether the caller may send to this chat as the person whom `sender` names, in any spelling.
    pub fn may_send(&self, chat: &Chat, sender: &str) -> bool {
        let oneself = || Member::parse(sender).is_ok_and(|sender| self.may_be(&sender));
        self.may_read(chat) && (!self.is_person() || oneself())
    }

    fn named(&self) -> Option<&Name> {
        match &self.who {
            Who::Person(name) | Who::Service(name) => Some(name),
            Who::Anybody | Who::Component => None,
        }
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
    fn who_has_no_name_may_be_anybody() {
        assert!(Caller::component().is_proven() && alice().is_proven() && !Caller::anybody().is_proven());
        for caller in [Caller::anybody(), Caller::component()] {
            assert!(caller.may_read(&chat("bob:carol")) && caller.may_send(&chat("bob:carol"), "bob"));
            assert!(caller.name().is_none() && !caller.is_limited() && !caller.as_service().is_service());
        }
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
