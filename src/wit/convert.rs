//! The types of `wit/messaging.wit` from and to those of `domain`; the variant and the field names of each error.

use crate::domain::data::Data;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field};
use crate::domain::message::{Message, Sent};
use crate::domain::notice::Deleted;
use crate::domain::page::{Page, PageFields};
use crate::domain::position::Position;
use crate::domain::update::Update;
use crate::wit::bindings::exports::confab::messaging::messenger as wit;

/// The error that a caller receives, without any cause that is not the caller's.
impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Forbidden { field, reason } => Self::Forbidden(format!("{} {reason}", name_of(field))),
            // Tokens and limits are HTTP's: a component is trusted.
            Error::Unauthenticated(_)
            | Error::TwoTokens
            | Error::NotOpen
            | Error::TooManySends(_)
            | Error::TooManyStreams { .. }
            | Error::TooManyExports { .. }
            | Error::Unproven => Self::Forbidden(error.to_string()),
            Error::Invalid { field, reason } => Self::Invalid(wit::Invalid {
                field: field.map(|field| name_of(field).to_owned()),
                reason,
            }),
            Error::TooLarge { field, .. } => Self::TooLarge(format!("{} is {error}", field.map_or("request", name_of))),
            Error::UnsupportedEncoding | Error::SlowBody(_) => Self::Invalid(wit::Invalid {
                field: None,
                reason: error.to_string(),
            }),
            Error::KeyReused => Self::KeyReused,
            Error::Blocked => Self::Blocked,
            Error::NoMessages => Self::NoMessages,
            Error::OtherMessage => Self::OtherMessage,
            Error::TooManyPlaces => Self::TooManyPlaces,
            Error::Gone { epoch, index } => Self::Gone(wit::Gone {
                epoch: epoch.map_or(0, Epoch::get),
                index,
            }),
            Error::Unavailable { .. } | Error::OldRedis { .. } => Self::Unavailable,
            Error::Internal(_) => Self::Internal,
        }
    }
}

/// WIT's name for a field.
fn name_of(field: Field) -> &'static str {
    match field {
        Field::Chat => "chat",
        Field::Text => "text",
        Field::Data => "data",
        Field::Sender => "sender",
        Field::Cursor => "cursor",
        Field::After | Field::LastEventId => "after",
        Field::Limit => "limit",
        Field::Reverse => "reverse",
        Field::Before => "before",
        Field::Epoch => "epoch",
        Field::Wait => "wait",
        Field::IdempotencyKey => "idempotency-key",
        Field::Name => "name",
        Field::Position => "position",
        Field::Index => "index",
        Field::SendTime => "send-time",
        Field::Blocked => "blocked",
        Field::Muted => "muted",
        Field::Open => "open",
        Field::Own => "own",
        Field::Caller => "caller",
    }
}

impl From<wit::PageRequest> for PageFields {
    fn from(request: wit::PageRequest) -> Self {
        Self {
            chat: request.chat,
            cursor: Some(request.cursor),
            limit: Some(request.limit),
            reverse: Some(request.reverse),
            before: request.before,
            epoch: request.epoch,
            wait: Some(request.wait),
            after: request.after,
        }
    }
}

impl From<Sent> for wit::Receipt {
    fn from(sent: Sent) -> Self {
        Self {
            index: sent.index,
            send_time: sent.send_time,
            replayed: sent.replayed,
        }
    }
}

impl From<Page> for wit::Page {
    fn from(page: Page) -> Self {
        Self {
            messages: page.messages.into_iter().map(Into::into).collect(),
            deleted: page.deleted.into_iter().map(Into::into).collect(),
            next_cursor: page.next,
            epoch: page.epoch.map_or(0, Epoch::get),
            first_index: page.first_index,
            position: page.position.map(|position| position.to_string()),
        }
    }
}

impl From<Deleted> for wit::Deleted {
    fn from(deleted: Deleted) -> Self {
        Self {
            index: deleted.index,
            send_time: deleted.send_time,
            by: deleted.by.map(|by| by.as_str().to_owned()),
        }
    }
}

impl From<Message> for wit::Message {
    fn from(message: Message) -> Self {
        Self {
            member: message.member().into_owned(),
            index: message.index,
            sender: message.sender,
            text: message.text,
            data: message.data.map(Data::into_json),
            send_time: message.send_time,
        }
    }
}

impl From<Update> for wit::Update {
    fn from(update: Update) -> Self {
        let number = |epoch: Option<Epoch>| epoch.map_or(0, Epoch::get);
        match update {
            Update::Open { epoch, position } => Self::Open(wit::Open {
                epoch: number(epoch),
                position: position.map(|position| position.to_string()),
            }),
            Update::Message { epoch, message } => Self::Message(wit::Followed {
                epoch: epoch.get(),
                position: Position::after(epoch, message.index, message.send_time).to_string(),
                message: message.into(),
            }),
            Update::Deleted { epoch, notice } => Self::Deleted(wit::Deletion {
                epoch: epoch.get(),
                position: Position::after(epoch, notice.index, notice.time).to_string(),
                deleted: notice.deleted.into(),
            }),
            Update::Reset(reset) => Self::Reset(wit::Reset {
                epoch: number(reset.epoch),
                index: reset.index,
                position: reset.position.to_string(),
            }),
            Update::Gap {
                from,
                first_index,
                position,
            } => Self::Gap(wit::Gap {
                from_index: from,
                first_index,
                position: position.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Stored;

    #[test]
    fn only_the_caller_s_own_mistakes_are_explained() {
        let secret = || "redis://user:password@host".to_owned();
        let too_large = Error::TooLarge {
            field: Some(Field::Text),
            limit: 65_536,
        };
        for (error, explained) in [
            (
                Error::invalid(Field::IdempotencyKey, "must not be empty"),
                "idempotency-key",
            ),
            (Error::invalid(Field::Text, "must not be empty"), "must not be empty"),
            (too_large, "text is over the limit of 65536 bytes"),
            (Error::KeyReused, "KeyReused"),
            (
                Error::Gone {
                    epoch: Epoch::new(17),
                    index: 5,
                },
                "17",
            ),
            (Error::unavailable(secret(), Stored::Unknown), ""),
            (Error::internal(secret()), ""),
        ] {
            let error = format!("{:?}", wit::Error::from(error));
            assert!(error.contains(explained) && !error.contains("password"), "{error}");
        }
    }
}
