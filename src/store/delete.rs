//! Deletes a message: a notice takes a place in the chat log, and the message goes, in one step.

use crate::domain::deletion::MessageDeletion;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Field, Result};
use crate::domain::member::Member;
use crate::redis;
use crate::redis::Script;
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::{Unreadable, text, void};
use crate::store::touch::touch;
use spin_sdk::redis::RedisResult;

static DELETE: Script = Script::replicating(&[
    include_str!("entry.lua"),
    include_str!("confirm.lua"),
    include_str!("holes.lua"),
    include_str!("touch.lua"),
    include_str!("delete.lua"),
]);

/// What `delete.lua` replies.
#[derive(Debug, PartialEq)]
enum Reply {
    /// The message is gone, now or before.
    Deleted,
    /// The entry's sender is spelled like this.
    SpelledAs(String),
    /// Another message has that place.
    Other,
    /// The log has too many places.
    Full,
    /// The log is another, or ends before that place: from this index on, nothing of it is there.
    Gone(Option<Epoch>, u64),
}

/// Deletes a message. Every follower receives a notice of it, and every later page is without it. Said again, it changes nothing, and returns
/// once as many replicas have it as after the first time.
///
/// Fails with [`Error::Forbidden`] if somebody else sent it; with [`Error::OtherMessage`] if another message has its place; with
/// [`Error::Gone`] if the chat log is another, or has never given out its index; and with [`Error::TooManyPlaces`] if the log is too
/// long. None of them deletes anything.
pub async fn delete(session: &Session, deletion: &MessageDeletion) -> Result<()> {
    let log = keys::log(&deletion.chat);
    // A message whose sender is spelled otherwise takes a second look: only confab knows which spellings are one person.
    let mut spelled = deletion.by.as_ref().map_or("", Member::as_str).to_owned();
    loop {
        let reply = run(session, deletion, &log, &spelled).await?;
        match reply {
            Reply::SpelledAs(sender) if sender != spelled && is_by(deletion, &sender) => spelled = sender,
            Reply::Deleted => {
                if redis::is_divided() {
                    let [first, _] = deletion.chat.members();
                    touch(session, &deletion.chat, first, None).await?;
                }
                return Ok(());
            }
            Reply::SpelledAs(_) => {
                return Err(Error::Forbidden {
                    field: Field::Index,
                    reason: "must be that of a message that the caller has sent",
                });
            }
            Reply::Other => return Err(Error::OtherMessage),
            Reply::Full => return Err(Error::TooManyPlaces),
            Reply::Gone(epoch, index) => return Err(Error::Gone { epoch, index }),
        }
    }
}

/// Whether the deletion is by the person whom this spelling names.
fn is_by(deletion: &MessageDeletion, sender: &str) -> bool {
    Member::parse(sender).is_ok_and(|sender| deletion.by.as_ref() == Some(&sender))
}

async fn run(session: &Session, deletion: &MessageDeletion, log: &str, spelled: &str) -> Result<Reply> {
    let MessageDeletion {
        chat,
        id,
        send_time,
        by,
    } = deletion;
    let [first, second] = chat.members();
    let by = match by {
        None => "s",
        Some(member) if member == first => "0",
        Some(_) => "1",
    };
    let holes = keys::holes(chat);
    let feeds = [first, second].map(keys::feed);
    let numbers = [id.epoch.get(), id.index, *send_time].map(|number| number.to_string());
    let [epoch, index, send_time] = &numbers;
    let arguments = [epoch, index, send_time, by, spelled].map(str::as_bytes);
    // In a chat with oneself, one feed is rung once.
    let feeds = feeds.get(usize::from(first == second)..).unwrap_or_default();
    let of_chat = [log, &holes];
    let all: Vec<_> = of_chat.into_iter().chain(feeds.iter().map(String::as_str)).collect();
    let reply = match DELETE.run_undivided(session, &all, &arguments).await? {
        Some(reply) => reply,
        None => DELETE.run(session, &of_chat, &arguments).await?,
    };
    decode(&reply).map_err(|why| why.at(log))
}

fn decode(reply: &[RedisResult]) -> Result<Reply, Unreadable> {
    match reply {
        [RedisResult::Binary(word)] => match word.as_slice() {
            b"deleted" => Ok(Reply::Deleted),
            b"other" => Ok(Reply::Other),
            b"full" => Ok(Reply::Full),
            _ => Err(Unreadable::of_reply("delete.lua", reply)),
        },
        [RedisResult::Binary(word), RedisResult::Binary(sender)] if word == b"sender" => {
            Ok(Reply::SpelledAs(text(sender)?.to_owned()))
        }
        _ => void("delete.lua", reply).map(|reset| Reply::Gone(reset.epoch, reset.index)),
    }
}
