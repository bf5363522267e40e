//! What scripts reply, and the stored data that they could not read.

use crate::domain::data::Data;
use crate::domain::entry_id::{EntryId, Epoch, decimal};
use crate::domain::error::Error;
use crate::domain::position::{Position, Reset};
use crate::redis::{NotPacked, number};
use crate::store::keys::without_names;
use spin_sdk::redis::RedisResult;

/// Why stored data, or a script's reply, could not be decoded.
#[derive(Debug, PartialEq)]
pub(super) struct Unreadable(pub(super) String);

impl Unreadable {
    /// The error of a request that met it at this Redis key. Its cause has no name of a person.
    pub(super) fn at(self, key: &str) -> Error {
        let at = format!("the stored data at {key} could not be read");
        anyhow::Error::msg(without_names(&self.0))
            .context(without_names(&at))
            .into()
    }

    /// What a script replied that could not read the stored data, or else that its reply is of an unknown shape.
    pub(super) fn of_reply(script: &str, reply: &[RedisResult]) -> Self {
        match reply {
            [RedisResult::Binary(word), RedisResult::Binary(why)] if word == b"unreadable" => {
                Self(String::from_utf8_lossy(why).into_owned())
            }
            _ => Self(format!("the reply of {script} has an unknown shape")),
        }
    }
}

impl From<NotPacked> for Unreadable {
    fn from(_: NotPacked) -> Self {
        Self("the reply is not valid MessagePack".into())
    }
}

/// Decodes a reply that says from where on a client's copy is void: `void`, an epoch, an index, and the time of the newest entry before.
pub(super) fn void(script: &str, reply: &[RedisResult]) -> Result<Reset, Unreadable> {
    let unknown = || Unreadable::of_reply(script, reply);
    let [RedisResult::Binary(word), RedisResult::Binary(epoch), index, time] = reply else {
        return Err(unknown());
    };
    if word != b"void" {
        return Err(unknown());
    }
    let epoch = epoch_of(epoch).map_err(|()| unknown())?;
    let (index, time) = number(index).zip(number(time)).ok_or_else(unknown)?;
    Ok(Reset {
        epoch,
        index,
        position: position_before(epoch, index, time),
    })
}

/// An epoch that a script replied: empty if there is no log.
pub(super) fn epoch_of(epoch: &[u8]) -> Result<Option<Epoch>, ()> {
    if epoch.is_empty() {
        return Ok(None);
    }
    let epoch = text(epoch).ok().and_then(decimal).and_then(Epoch::new);
    epoch.map(Some).ok_or(())
}

/// The position that has everything below `index` of the chat log of this epoch, whose newest message was sent at `time`.
pub(super) fn position_before(epoch: Option<Epoch>, index: u64, time: u64) -> Position {
    match (epoch, index.checked_sub(1)) {
        (Some(epoch), Some(last)) => Position::after(epoch, last, time),
        _ => Position::Start,
    }
}

/// Bytes as text.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Unreadable> {
    str::from_utf8(bytes).map_err(|_| Unreadable("is not UTF-8".into()))
}

/// The id of an entry.
pub(super) fn entry_id(id: &[u8]) -> Result<EntryId, Unreadable> {
    let id = text(id)?;
    id.parse()
        .map_err(|_| Unreadable(format!("{id:?} is not an entry's id")))
}

/// The time of an entry, in microseconds since the Unix epoch.
pub(super) fn time(time: &[u8]) -> Result<u64, Unreadable> {
    text(time)?
        .parse()
        .map_err(|_| Unreadable("has a time that is no number".into()))
}

/// The data of a message that is stored.
pub(super) fn stored_data(json: &str) -> Result<Data, Unreadable> {
    Data::parse(json).map_err(|why| Unreadable(format!("has data that cannot be read: {why}")))
}

/// A position that is stored.
pub(super) fn position(position: &[u8]) -> Result<Position, Unreadable> {
    text(position)?
        .parse()
        .map_err(|_| Unreadable("has a position that is none".into()))
}
