//! Moves a reader's mark in a chat.

use crate::domain::error::{Error, Result};
use crate::domain::mark::{Mark, MarkRequest, ReadUpTo, unread};
use crate::domain::position::{Position, Reset};
use crate::domain::slice::Extent;
use crate::redis;
use crate::redis::Script;
use crate::redis::number;
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::{Unreadable, entry_id, position, time, void};
use crate::store::touch::touch;
use spin_sdk::redis::RedisResult;

static MARK: Script = Script::writing(&[
    include_str!("entry.lua"),
    include_str!("confirm.lua"),
    include_str!("marks.lua"),
    include_str!("holes.lua"),
    include_str!("touch.lua"),
    include_str!("mark.lua"),
]);

/// Moves a reader's mark, if that is further than it is, and returns the mark. Fails with [`Error::Gone`], and moves nothing, if the
/// chat log does not confirm the position, or has another epoch.
pub async fn mark(session: &Session, request: &MarkRequest) -> Result<Mark> {
    let MarkRequest { chat, reader, up_to } = request;
    let other = chat.other(reader);
    let (log, marks) = (keys::log(chat), keys::marks(chat));
    let (own_feed, other_feed) = (keys::feed(reader), keys::feed(other));
    let (kind, [index, epoch, time]) = match up_to {
        ReadUpTo::Position(Position::Start) => ("start", Default::default()),
        ReadUpTo::Position(Position::After { id, time }) => {
            let numbers = [id.index, id.epoch.get(), *time].map(|number| number.to_string());
            ("position", numbers)
        }
        ReadUpTo::Index { index, epoch } => {
            let epoch = epoch.map_or(String::new(), |epoch| epoch.get().to_string());
            ("index", [index.to_string(), epoch, String::new()])
        }
    };
    let keys = [&log, &marks, &own_feed, &other_feed].map(String::as_str);
    let arguments = [kind, &index, &epoch, &time].map(str::as_bytes);
    let reply = if let Some(reply) = MARK.run_undivided(session, &keys, &arguments).await? {
        reply
    } else {
        let members = [reader, other].map(keys::field);
        let arguments = [kind, &index, &epoch, &time, &members[0], &members[1]].map(str::as_bytes);
        MARK.run(session, &[&log, &marks], &arguments).await?
    };
    let marked = decode(&reply).map_err(|why| why.at(&log))?;
    if redis::is_divided() && matches!(marked, Marked::At(..)) {
        // Also if the mark has not moved now: it may have, in a try that ended before this.
        touch(session, chat, reader, None).await?;
    }
    match marked {
        Marked::Empty => Ok(Mark {
            chat: chat.clone(),
            epoch: None,
            read: Position::Start,
            unread: 0,
        }),
        Marked::Void(reset) => Err(Error::Gone {
            epoch: reset.epoch,
            index: reset.index,
        }),
        Marked::At(read, extent, deleted) => Ok(Mark {
            chat: chat.clone(),
            epoch: Some(extent.epoch),
            read,
            unread: unread(chat, &extent, read).saturating_sub(deleted),
        }),
    }
}

/// What `mark.lua` replies.
#[derive(Debug, PartialEq)]
enum Marked {
    /// The chat has no messages.
    Empty,
    /// The chat log does not confirm the position.
    Void(Reset),
    /// The mark is here, in a chat log of this extent; so many of the places above it are no message.
    At(Position, Extent, u64),
}

fn decode(reply: &[RedisResult]) -> Result<Marked, Unreadable> {
    let unknown = || Unreadable::of_reply("mark.lua", reply);
    match reply {
        [] => Ok(Marked::Empty),
        [
            RedisResult::Binary(word),
            RedisResult::Binary(read),
            RedisResult::Binary(newest),
            RedisResult::Binary(newest_time),
            oldest,
            deleted,
        ] if word == b"read" => {
            let (newest, newest_time) = (entry_id(newest)?, time(newest_time)?);
            let extent = Extent {
                epoch: newest.epoch,
                oldest: number(oldest).ok_or_else(unknown)?,
                newest: newest.index,
                newest_time,
            };
            Ok(Marked::At(
                position(read)?,
                extent,
                number(deleted).ok_or_else(unknown)?,
            ))
        }
        _ => void("mark.lua", reply).map(Marked::Void),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::texts;

    #[test]
    fn a_mark_is_a_position_in_its_log() {
        let mut reply = texts(&["read", "17-7-24", "17-9", "26"]);
        reply.extend([3, 1].map(RedisResult::Int64));
        let Ok(Marked::At(read, extent, 1)) = decode(&reply) else {
            panic!("{:?}", decode(&reply));
        };
        assert_eq!(
            (read.to_string().as_str(), extent.oldest, extent.newest),
            ("17-7-24", 3, 9)
        );
        assert_eq!(decode(&[]), Ok(Marked::Empty));
        let mut reply = texts(&["void", "17"]);
        reply.extend([5, 18].map(RedisResult::Int64));
        assert!(matches!(decode(&reply), Ok(Marked::Void(Reset { index: 5, .. }))));
        for words in [&["unreadable", "why"][..], &["read"], &["x"]] {
            assert!(decode(&texts(words)).is_err(), "{words:?}");
        }
    }
}
