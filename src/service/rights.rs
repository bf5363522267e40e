//! Who may do what. A caller of `None` may do anything: the deployment is open, or trusted code calls.

use crate::domain::caller::Caller;
use crate::domain::chat::Chat;
use crate::domain::error::{Error, Field, Result};
use crate::domain::mark::{MarkFields, MarkRequest};
use crate::domain::member::Member;
use crate::domain::message::{Author, Draft, DraftFields};

/// Fails with [`Error::Forbidden`] if the caller may not read this chat.
pub fn may_read(caller: Option<&Caller>, chat: &Chat) -> Result<()> {
    if caller.is_none_or(|caller| caller.may_read(chat)) {
        return Ok(());
    }
    Err(Error::Forbidden {
        field: Field::Chat,
        reason: "must be a chat that the caller may read",
    })
}

/// The message that the caller may send. Its sender is the caller if it names none. Fails with [`Error::Forbidden`] if it is for a
/// chat that the caller may not read, or names another sender, before any other fault of it but a malformed chat.
pub fn draft(caller: Option<&Caller>, fields: DraftFields) -> Result<Draft> {
    let chat = Chat::parse(&fields.chat)?;
    may_read(caller, &chat)?;
    let person = caller.filter(|caller| !caller.is_service());
    let oneself = || person.map(|caller| caller.name().to_owned());
    let sender = fields.sender.or_else(oneself);
    let sender = sender.ok_or_else(|| Error::invalid(Field::Sender, "is required"))?;
    if caller.is_some_and(|caller| !caller.may_send(&chat, &sender)) {
        return Err(Error::Forbidden {
            field: Field::Sender,
            reason: "must be the caller",
        });
    }
    let author = match caller {
        Some(caller) if caller.is_service() => Author::Service,
        Some(caller) if caller.is_limited() => Author::Sender,
        Some(_) | None => Author::Unproven,
    };
    Draft::parse(chat, fields.text, sender, fields.key).map(|draft| draft.by(author))
}

/// The person whom a request names, or the caller if it names nobody. Fails with [`Error::Forbidden`] if the caller is somebody
/// else and no service.
pub fn reader(caller: Option<&Caller>, name: Option<&str>) -> Result<Member> {
    let person = caller.filter(|caller| !caller.is_service());
    let name = name.or(person.map(Caller::name));
    let name = name.ok_or_else(|| Error::invalid(Field::Name, "is required"))?;
    let reader = Member::parse(name);
    let itself = |reader: &Member| person.is_none_or(|person| person.is(reader));
    if !reader.as_ref().map_or(person.is_none(), itself) {
        return Err(Error::Forbidden {
            field: Field::Name,
            reason: "must be the caller",
        });
    }
    reader.map_err(|why| Error::invalid(Field::Name, why))
}

/// The person whose inbox a request is about, as [`reader`] has it. An inbox is of all chats, so a caller of one chat has none.
pub fn inbox_reader(caller: Option<&Caller>, name: Option<&str>) -> Result<Member> {
    if caller.is_some_and(Caller::is_in_one_chat) {
        return Err(Error::Forbidden {
            field: Field::Name,
            reason: "has an inbox only for tokens of all chats",
        });
    }
    reader(caller, name)
}

/// The mark that the caller may set for `reader`. Fails with [`Error::Forbidden`] if it is of a chat that the caller may not read.
pub fn mark(caller: Option<&Caller>, reader: Member, fields: &MarkFields) -> Result<MarkRequest> {
    may_read(caller, &Chat::parse(&fields.chat)?)?;
    MarkRequest::parse(reader, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(caller: Option<&Caller>, chat: &str, text: &str, sender: Option<&str>) -> Result<String> {
        let fields = DraftFields {
            chat: chat.into(),
            text: text.into(),
            sender: sender.map(Into::into),
            key: None,
        };
        draft(caller, fields).map(|draft| draft.sender().to_owned())
    }

    #[test]
    fn the_sender_is_the_caller_or_whom_a_service_names() {
        let alice = Caller::person("Alice".into()).unwrap();
        let backend = Caller::person("backend".into()).unwrap().as_service();
        let (open, alice, backend) = (None, Some(&alice), Some(&backend));
        for (caller, chat, sender, expected) in [
            (alice, "alice:bob", None, "Alice"),
            (alice, "alice:bob", Some("ALICE"), "ALICE"),
            (backend, "alice:bob", Some("bob"), "bob"),
            (open, "alice:bob", Some("bob"), "bob"),
        ] {
            assert_eq!(outcome(caller, chat, "hi", sender), Ok(expected.into()), "{sender:?}");
        }
        for (caller, chat, text, sender, field) in [
            (alice, "alice:bob", "", Some("bob"), Field::Sender),
            (alice, "alice:bob", "", Some(""), Field::Sender),
            (alice, "bob:carol", "", None, Field::Chat),
            (alice, "bob:carol", "", Some("bob"), Field::Chat),
        ] {
            let error = outcome(caller, chat, text, sender).unwrap_err();
            assert!(
                matches!(error, Error::Forbidden { field: at, .. } if at == field),
                "{chat} {sender:?}: {error:?}"
            );
        }
        for (caller, chat, text, sender, field) in [
            (alice, "alice", "hi", None, Field::Chat),
            (alice, "alice:bob", "", None, Field::Text),
            (open, "alice:bob", "hi", None, Field::Sender),
            (backend, "alice:bob", "hi", None, Field::Sender),
            (backend, "alice:bob", "hi", Some("backend"), Field::Sender),
        ] {
            let error = outcome(caller, chat, text, sender).unwrap_err();
            assert!(
                matches!(error, Error::Invalid { field: Some(at), .. } if at == field),
                "{chat} {sender:?}: {error:?}"
            );
        }
    }
}
