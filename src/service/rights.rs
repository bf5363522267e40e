//! Who may do what.

use crate::domain::caller::Caller;
use crate::domain::chat::Chat;
use crate::domain::chat_settings::{SettingsFields, SettingsRequest};
use crate::domain::deletion::{Deletion, DeletionFields};
use crate::domain::error::{Error, Field, Result};
use crate::domain::export::{ExportFields, ExportRequest};
use crate::domain::inbox::{InboxFields, InboxRequest};
use crate::domain::mark::{MarkFields, MarkRequest};
use crate::domain::member::Member;
use crate::domain::message::{Author, Draft, DraftFields};

/// Fails with [`Error::Forbidden`] if the caller may not read this chat.
pub(super) fn may_read(caller: &Caller, chat: &Chat) -> Result<()> {
    if caller.may_read(chat) {
        return Ok(());
    }
    Err(Error::Forbidden {
        field: Field::Chat,
        reason: "must be a chat that the caller may read",
    })
}

/// The message that the caller may send. Its sender is the caller if it names none. Fails with [`Error::Forbidden`] if it is for a
/// chat that the caller may not read, or names another sender, before any other fault of it but a malformed chat.
pub(crate) fn draft(caller: &Caller, fields: DraftFields) -> Result<Draft> {
    let chat = Chat::parse(&fields.chat)?;
    may_read(caller, &chat)?;
    let oneself = || own_name(caller).map(str::to_owned);
    let sender = fields.sender.or_else(oneself);
    let sender = sender.ok_or_else(|| Error::invalid(Field::Sender, "is required"))?;
    if !caller.may_send(&chat, &sender) {
        return Err(Error::Forbidden {
            field: Field::Sender,
            reason: "must be the caller",
        });
    }
    let author = if caller.is_service() {
        Author::Service
    } else if caller.is_limited() {
        Author::Sender
    } else {
        Author::Unproven
    };
    Draft::parse(chat, fields.text, fields.data, sender, fields.key).map(|draft| draft.by(author))
}

/// The page of an inbox that the caller may read: of whom the request names, or the caller's own if it names nobody. Fails with
/// [`Error::Forbidden`] if it is somebody else's and the caller is no service, or if the caller is known in one chat only: an inbox is of
/// all chats.
pub(crate) fn inbox_request(caller: &Caller, fields: &InboxFields) -> Result<InboxRequest> {
    if caller.is_in_one_chat() {
        return Err(Error::Forbidden {
            field: Field::Name,
            reason: "cannot be used with a token that is for one chat only",
        });
    }
    let reader = reader(caller, fields.name.as_deref())?;
    InboxRequest::parse(reader, fields.limit, fields.before.as_deref())
}

/// The mark that the caller may set. Fails with [`Error::Forbidden`] if it is somebody else's and the caller is no service, or if it is of
/// a chat that the caller may not read.
pub(crate) fn mark_request(caller: &Caller, fields: &MarkFields) -> Result<MarkRequest> {
    let reader = reader(caller, fields.name.as_deref())?;
    let chat = required_chat(fields.chat.as_deref())?;
    may_read(caller, &chat)?;
    MarkRequest::parse(reader, chat, fields)
}

/// What the caller may set for a chat: their own side; `open` only by a service or a component. Fails with [`Error::Forbidden`] if it
/// is somebody else's side and the caller is no service, or if it is of a chat that the caller may not read.
pub(crate) fn settings_request(caller: &Caller, fields: &SettingsFields) -> Result<SettingsRequest> {
    let SettingsFields { name, chat, change } = fields;
    let chat = required_chat(chat.as_deref())?;
    may_read(caller, &chat)?;
    if change.open.is_some() && caller.is_person() {
        return Err(Error::Forbidden {
            field: Field::Open,
            reason: "can be set by the app's own service alone",
        });
    }
    let member = if name.is_some() || change.is_of_a_side() {
        Some(reader(caller, name.as_deref())?)
    } else {
        None
    };
    SettingsRequest::parse(chat, member, *change)
}

/// What the caller may delete: a person their own messages, a service or a component any. Fails with [`Error::Unproven`] if nobody is
/// asked who they are: anybody could delete anything.
pub(crate) fn deletion(caller: &Caller, fields: &DeletionFields) -> Result<Deletion> {
    let chat = required_chat(fields.chat.as_deref())?;
    if !caller.is_proven() {
        return Err(Error::Unproven);
    }
    may_read(caller, &chat)?;
    let by = caller.member().filter(|_| caller.is_person()).cloned();
    Deletion::parse(chat, by, fields)
}

/// What the caller may export: their own chats, or those of whom a service names. Fails with [`Error::Unproven`] if nobody is asked who
/// they are; with [`Error::Forbidden`] if it is somebody else's and the caller is no service, if it is of a chat that the caller may not
/// read, or of all chats and the caller is known in one only.
pub(crate) fn export_request(caller: &Caller, fields: &ExportFields) -> Result<ExportRequest> {
    if !caller.is_proven() {
        return Err(Error::Unproven);
    }
    let person = reader(caller, fields.name.as_deref())?;
    let chat = fields.chat.as_deref().map(Chat::parse).transpose()?;
    match &chat {
        Some(chat) => may_read(caller, chat)?,
        None if caller.is_in_one_chat() => {
            return Err(Error::Forbidden {
                field: Field::Chat,
                reason: "must be the one that the token is for",
            });
        }
        None => {}
    }
    ExportRequest::parse(person, chat, fields.own.unwrap_or(false))
}

/// The chat that a request names. Fails with [`Error::Invalid`] if it names none.
fn required_chat(names: Option<&str>) -> Result<Chat> {
    Chat::parse(names.ok_or_else(|| Error::invalid(Field::Chat, "is required"))?)
}

/// The person whom a request names, or the caller if it names nobody. Fails with [`Error::Forbidden`] if the caller is somebody
/// else and no service.
fn reader(caller: &Caller, name: Option<&str>) -> Result<Member> {
    let name = name.or(own_name(caller));
    let name = name.ok_or_else(|| Error::invalid(Field::Name, "is required"))?;
    let reader = Member::parse(name);
    // What is no name cannot be the caller's own.
    if !reader
        .as_ref()
        .map_or(!caller.is_person(), |reader| caller.may_be(reader))
    {
        return Err(Error::Forbidden {
            field: Field::Name,
            reason: "must be the caller",
        });
    }
    reader.map_err(|why| Error::invalid(Field::Name, why))
}

/// The name that a caller may leave out: a person's own.
fn own_name(caller: &Caller) -> Option<&str> {
    caller.name().filter(|_| caller.is_person())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(caller: &Caller, chat: &str, text: &str, sender: Option<&str>) -> Result<String> {
        let fields = DraftFields {
            chat: chat.into(),
            text: text.into(),
            data: None,
            sender: sender.map(Into::into),
            key: None,
        };
        draft(caller, fields).map(|draft| draft.sender().to_owned())
    }

    #[test]
    fn the_sender_is_the_caller_or_whom_a_service_names() {
        let alice = Caller::person("Alice".into()).unwrap();
        let backend = Caller::person("backend".into()).unwrap().as_service();
        let (open, alice, backend) = (&Caller::anybody(), &alice, &backend);
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
