//! Moves a reader's mark in a chat.

use crate::domain::embedded::embedded;
use crate::domain::error::{Error, Result};
use crate::domain::mark::{Mark, MarkRequest, ReadUpTo, unread};
use crate::domain::position::{Position, Reset};
use crate::domain::slice::Extent;
use crate::store::cluster;
use crate::store::keys;
use crate::store::reply::{Unreadable, entry_id, number, position, time, void};
use crate::store::script::Script;
use crate::store::session::Session;
use crate::store::touch::touch;
use spin_sdk::redis::RedisResult;

static MARK: Script = Script::writing(&[
    embedded!("entry.lua"),
    embedded!("confirm.lua"),
    embedded!("marks.lua"),
    embedded!("touch.lua"),
    embedded!("mark.lua"),
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
    let reply = decode(&reply).map_err(|why| why.at(&log))?;
    if cluster::is_divided() && matches!(reply, Reply::Read(..)) {
        // Also if the mark has not moved now: it may have, in a try that ended before this.
        touch(session, chat, reader, None).await?;
    }
    match reply {
        Reply::Empty => Ok(Mark {
            epoch: None,
            read: Position::Start,
            unread: 0,
        }),
        Reply::Void(reset) => Err(Error::Gone {
            epoch: reset.epoch,
            index: reset.index,
        }),
        Reply::Read(read, extent) => Ok(Mark {
            epoch: Some(extent.epoch),
            read,
            unread: unread(chat, &extent, read),
        }),
    }
}

/// What `mark.lua` replies.
#[derive(Debug, PartialEq)]
enum Reply {
    Empty,
    Void(Reset),
    Read(Position, Extent),
}

fn decode(reply: &[RedisResult]) -> Result<Reply, Unreadable> {
    let unknown = || Unreadable::of_reply("mark.lua", reply);
    match reply {
        [] => Ok(Reply::Empty),
        [
            RedisResult::Binary(word),
            RedisResult::Binary(read),
            RedisResult::Binary(newest),
            RedisResult::Binary(newest_time),
            oldest,
        ] if word == b"read" => {
            let (newest, newest_time) = (entry_id(newest)?, time(newest_time)?);
            let extent = Extent {
                epoch: newest.epoch,
                oldest: number(oldest).ok_or_else(unknown)?,
                newest: newest.index,
                newest_time,
            };
            Ok(Reply::Read(position(read)?, extent))
        }
        _ => void("mark.lua", reply).map(Reply::Void),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::reply::strings;

    #[test]
    fn a_mark_is_a_position_in_its_log() {
        let mut reply = strings(&["read", "17-7-24", "17-9", "26"]);
        reply.push(RedisResult::Int64(3));
        let Ok(Reply::Read(read, extent)) = decode(&reply) else {
            panic!("{:?}", decode(&reply));
        };
        assert_eq!(
            (read.to_string().as_str(), extent.oldest, extent.newest),
            ("17-7-24", 3, 9)
        );
        assert_eq!(decode(&[]), Ok(Reply::Empty));
        let mut reply = strings(&["void", "17"]);
        reply.extend([5, 18].map(RedisResult::Int64));
        assert!(matches!(decode(&reply), Ok(Reply::Void(Reset { index: 5, .. }))));
        for words in [&["unreadable", "why"][..], &["read"], &["x"]] {
            assert!(decode(&strings(words)).is_err(), "{words:?}");
        }
    }
}
