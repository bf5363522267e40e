//! Finds the position at which a stream begins.

use crate::domain::chat::Chat;
use crate::domain::entry_id::Epoch;
use crate::domain::error::Result;
use crate::domain::position::{Position, Reset};
use crate::domain::update::Start;
use crate::redis::Script;
use crate::redis::number;
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::{Unreadable, epoch_of, position_before, void};
use spin_sdk::redis::RedisResult;

static LOCATE: Script = Script::reading(&[
    include_str!("entry.lua"),
    include_str!("confirm.lua"),
    include_str!("locate.lua"),
]);

/// Where a stream begins.
#[derive(Debug, PartialEq)]
pub enum Located {
    /// The chat log, if there is one, and the position.
    At(Option<Epoch>, Position),
    /// The chat log does not confirm what the client has.
    Void(Reset),
}

/// Finds the position that `start` means. What could not be read means the start of the log, from which all is void.
pub async fn locate(session: &Session, chat: &Chat, start: Start) -> Result<Located> {
    let log = keys::log(chat);
    let numbers = |index: u64, epoch: Option<Epoch>, time: u64| {
        let epoch = epoch.map_or(String::new(), |epoch| epoch.get().to_string());
        [index.to_string(), epoch, time.to_string()]
    };
    let (kind, [index, epoch, time]) = match start {
        Start::Now => ("now", numbers(0, None, 0)),
        Start::Cursor { index, epoch } => ("cursor", numbers(index, epoch, 0)),
        Start::Unreadable | Start::After(Position::Start) => ("cursor", numbers(0, None, 0)),
        Start::After(Position::After { id, time }) => ("position", numbers(id.index, Some(id.epoch), time)),
    };
    let arguments = [kind, &index, &epoch, &time].map(str::as_bytes);
    let reply = LOCATE.run(session, &[&log], &arguments).await?;
    let located = decode(&reply).map_err(|why| why.at(&log))?;
    Ok(match (start, located) {
        (Start::Unreadable, Located::At(epoch, position)) => Located::Void(Reset {
            epoch,
            index: 0,
            position,
        }),
        (_, located) => located,
    })
}

fn decode(reply: &[RedisResult]) -> Result<Located, Unreadable> {
    let unknown = || Unreadable::of_reply("locate.lua", reply);
    match reply {
        [RedisResult::Binary(word), RedisResult::Binary(epoch), index, time] if word == b"at" => {
            let epoch = epoch_of(epoch).map_err(|()| unknown())?;
            let (index, time) = number(index).zip(number(time)).ok_or_else(unknown)?;
            Ok(Located::At(epoch, position_before(epoch, index, time)))
        }
        _ => void("locate.lua", reply).map(Located::Void),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::texts;

    #[test]
    fn a_stream_begins_at_a_position_or_with_a_reset() {
        let reply = |word: &str, epoch: &str, numbers: [i64; 2]| {
            let mut values = texts(&[word, epoch]);
            values.extend(numbers.map(RedisResult::Int64));
            decode(&values)
        };
        let epoch = Epoch::new(17);
        let position: Position = "17-4-18".parse().unwrap();
        assert_eq!(reply("at", "17", [5, 18]), Ok(Located::At(epoch, position)));
        assert_eq!(reply("at", "17", [0, 0]), Ok(Located::At(epoch, Position::Start)));
        assert_eq!(reply("at", "", [0, 0]), Ok(Located::At(None, Position::Start)));
        let reset = Reset {
            epoch,
            index: 5,
            position,
        };
        assert_eq!(reply("void", "17", [5, 18]), Ok(Located::Void(reset)));
        for (word, epoch, numbers) in [
            ("at", "x", [5, 18]),
            ("at", "0", [5, 18]),
            ("void", "17", [-1, 0]),
            ("else", "17", [5, 18]),
        ] {
            let Unreadable(why) = reply(word, epoch, numbers).unwrap_err();
            assert!(why.contains("locate.lua"), "{word} {epoch} {numbers:?}: {why}");
        }
        assert_eq!(
            decode(&texts(&["unreadable", "WRONGTYPE"])),
            Err(Unreadable("WRONGTYPE".into()))
        );
    }
}
