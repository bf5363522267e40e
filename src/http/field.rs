//! HTTP's names for the fields of requests.

use crate::domain::error::{Error, Field};

/// Every field of HTTP.
pub(super) const FIELDS: [Field; 21] = [
    Field::Chat,
    Field::Text,
    Field::Data,
    Field::Sender,
    Field::Cursor,
    Field::Limit,
    Field::Reverse,
    Field::Before,
    Field::Epoch,
    Field::Wait,
    Field::IdempotencyKey,
    Field::After,
    Field::LastEventId,
    Field::Name,
    Field::Position,
    Field::Index,
    Field::SendTime,
    Field::Blocked,
    Field::Muted,
    Field::Open,
    Field::Own,
];

/// HTTP's name for a field.
pub(super) fn name_of(field: Field) -> &'static str {
    match field {
        Field::Chat => "chat",
        Field::Text => "text",
        Field::Data => "data",
        Field::Sender => "sender",
        Field::Cursor => "cursor",
        Field::Limit => "limit",
        Field::Reverse => "reverse",
        Field::Before => "before",
        Field::Epoch => "epoch",
        Field::Wait => "wait",
        Field::IdempotencyKey => "Idempotency-Key",
        Field::After => "after",
        Field::LastEventId => "Last-Event-ID",
        Field::Name => "name",
        Field::Position => "position",
        Field::Index => "index",
        Field::SendTime => "send_time",
        Field::Blocked => "blocked",
        Field::Muted => "muted",
        Field::Open => "open",
        Field::Own => "own",
        Field::Caller => "caller",
    }
}

/// The field of this name.
pub(super) fn named(name: &str) -> Option<Field> {
    FIELDS.into_iter().find(|field| name_of(*field) == name)
}

/// The error of a field whose value is of another kind than it must be.
pub(super) fn of_another_kind(field: Field) -> Error {
    let reason = match field {
        Field::Chat
        | Field::Text
        | Field::Sender
        | Field::After
        | Field::IdempotencyKey
        | Field::LastEventId
        | Field::Name
        | Field::Position
        | Field::Caller => "must be a string",
        Field::Cursor | Field::Limit | Field::Before | Field::Epoch | Field::Wait | Field::Index | Field::SendTime => {
            "must be a whole number from 0 to 18446744073709551615"
        }
        Field::Reverse | Field::Blocked | Field::Muted | Field::Open | Field::Own => "must be true or false",
        Field::Data => "must be a JSON object",
    };
    Error::invalid(field, reason)
}

/// The field that an error names, or `body` for the request as a whole: for tests of what is refused.
#[cfg(test)]
pub(super) fn field_at_fault<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Invalid { field, .. }) => field.map_or("body", name_of),
        other => panic!("{other:?}"),
    }
}
