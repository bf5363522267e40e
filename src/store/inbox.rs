//! Reads which chats an inbox has, and removes those that have no messages.

use crate::domain::error::Result;
use crate::domain::inbox::Place;
use crate::domain::member::Member;
use crate::redis::Script;
use crate::redis::strings;
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::{Unreadable, time};
use spin_sdk::redis::RedisResult;

static INBOX: Script = Script::reading(&[include_str!("inbox.lua")]);
static REMOVE: Script = Script::writing(&[include_str!("inbox_remove.lua")]);

/// Reads up to `count` chats of a person's inbox with their times, newest first, after the place `before`.
pub async fn places(session: &Session, member: &Member, before: Option<&Place>, count: usize) -> Result<Vec<Place>> {
    read(session, member, "newest", before, count).await
}

/// Reads up to `count` chats of a person's inbox with their times, oldest first, after the place `after`. A walk misses no chat: one that
/// moves meanwhile moves ahead of it, and may come twice.
pub async fn places_after(
    session: &Session,
    member: &Member,
    after: Option<&Place>,
    count: usize,
) -> Result<Vec<Place>> {
    read(session, member, "oldest", after, count).await
}

async fn read(
    session: &Session,
    member: &Member,
    order: &str,
    from: Option<&Place>,
    count: usize,
) -> Result<Vec<Place>> {
    let inbox = keys::inbox(member);
    let count = count.to_string();
    let (time, chat) = from.map_or_else(Default::default, |place| {
        (place.time.to_string(), keys::tag(&place.chat))
    });
    let arguments = [count.as_bytes(), time.as_bytes(), chat.as_bytes(), order.as_bytes()];
    let reply = INBOX.run(session, &[&inbox], &arguments).await?;
    decode(&reply).map_err(|why| why.at(&inbox))
}

/// Removes chats from a person's inbox, each only if its place is still this one.
pub async fn remove(session: &Session, member: &Member, places: &[Place]) -> Result<()> {
    let words = places
        .iter()
        .flat_map(|place| [keys::tag(&place.chat), place.time.to_string()]);
    let words: Vec<_> = words.collect();
    let arguments: Vec<_> = words.iter().map(String::as_bytes).collect();
    REMOVE.run(session, &[&keys::inbox(member)], &arguments).await.map(drop)
}

fn decode(reply: &[RedisResult]) -> Result<Vec<Place>, Unreadable> {
    let [RedisResult::Binary(word), RedisResult::Binary(packed)] = reply else {
        return Err(Unreadable::of_reply("inbox.lua", reply));
    };
    if word != b"inbox" {
        return Err(Unreadable::of_reply("inbox.lua", reply));
    }
    strings(packed)?.chunks(2).map(decode_place).collect()
}

fn decode_place(place: &[&[u8]]) -> Result<Place, Unreadable> {
    let [tag, score] = place else {
        return Err(Unreadable("has a place of an unknown shape".into()));
    };
    let chat = keys::chat_of(tag).ok_or_else(|| Unreadable("has a place that is no chat".into()))?;
    let time = time(score)?;
    Ok(Place { time, chat })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};
    use crate::redis::texts;

    fn reply(packed: &[u8]) -> Vec<RedisResult> {
        let mut reply = texts(&["inbox"]);
        reply.push(RedisResult::Binary(packed.to_vec()));
        reply
    }

    #[test]
    fn an_inbox_is_chats_with_their_times() {
        let places = decode(&reply(b"\x94\xa3a:b\xa218\xa5%7B:c\xa217")).unwrap();
        let places: Vec<_> = places.iter().map(Place::to_string).collect();
        assert_eq!(places, ["18:a:b", "17:c:{"]);
        for (values, why) in [
            (texts(&["unreadable", "WRONGTYPE"]), "WRONGTYPE"),
            (reply(b"\x92\xa1a\xa217"), "has a place that is no chat"),
            (reply(b"\x92\xa3a:b\xa3inf"), "has a time that is no number"),
            (reply(b"\x91\xa3a:b"), "has a place of an unknown shape"),
            (texts(&["inbox"]), "the reply of inbox.lua has an unknown shape"),
        ] {
            assert_eq!(decode(&values), Err(Unreadable(why.into())));
        }
    }

    #[test]
    fn fuzz_inboxes() {
        fuzz("inboxes", &near(&["a:b", "%7B:c"]), |tail| {
            let mut packed = vec![0x92, 0xa5];
            packed.extend(tail);
            packed.extend(b"\xa217");
            _ = decode(&reply(&packed));
        });
    }
}
