//! A person's feed: what changes in their chats, kept only while somebody follows.

use crate::domain::chat::Chat;
use crate::domain::entry_id::EntryId;
use crate::domain::error::Result;
use crate::domain::member::Member;
use crate::redis::{Script, Watch};
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::{Unreadable, entry_id};
use spin_sdk::redis::RedisResult;
use spin_sdk::wasip3::random::random::get_random_u64;
use std::time::Duration;

static FEED: Script = Script::writing(&[include_str!("feed.lua")]);

/// The least time that a feed lives without a follower.
const LEAST_LIFETIME: Duration = Duration::from_mins(10);

/// A new feed's ids begin at a random number from here on: later than any clock, so that Redis counts on from the first.
const LEAST_NONCE: u64 = 1 << 62;

/// What a feed says.
#[derive(Debug, PartialEq)]
pub enum Feed {
    /// These chats have changed since the follower's place, and this is its place now.
    Since(EntryId, Vec<Chat>),
    /// The feed cannot say what has changed: read the inbox whole. This is the place of what comes.
    All(EntryId),
}

/// Reads a person's feed after `last`, the follower's place. From then on, every change in the person's chats is written to the feed,
/// until no follower has read it for three heartbeats or 600 s, whichever is longer.
pub async fn read_feed(session: &Session, member: &Member, last: Option<EntryId>) -> Result<Feed> {
    let feed = keys::feed(member);
    let last = last.map_or(String::new(), |last| last.to_string());
    let lifetime = session.config().stream_heartbeat.saturating_mul(3).max(LEAST_LIFETIME);
    let lifetime = lifetime.as_millis().to_string();
    let nonce = LEAST_NONCE | (get_random_u64() >> 2);
    let first = format!("{nonce}-0");
    let arguments = [&last, &first, &lifetime].map(String::as_bytes);
    let reply = FEED.run(session, &[&feed], &arguments).await?;
    decode(&reply).map_err(|why| why.at(&feed))
}

/// A watch on a feed. It holds a Redis connection of its own from its first wait on, if Redis has room for it.
#[derive(Default)]
pub struct FeedWatch(Watch);

impl FeedWatch {
    /// Waits, at most for `timeout`, until the feed has an entry after this one. It may return early: the caller looks again.
    pub async fn wait(&mut self, session: &Session, member: &Member, last: EntryId, timeout: Duration) -> Result<()> {
        self.0.wait(session, &keys::feed(member), Some(last), timeout).await
    }
}

fn decode(reply: &[RedisResult]) -> Result<Feed, Unreadable> {
    let unknown = || Unreadable::of_reply("feed.lua", reply);
    match reply {
        [RedisResult::Binary(word), RedisResult::Binary(id)] if word == b"all" => entry_id(id).map(Feed::All),
        [RedisResult::Binary(word), RedisResult::Binary(id), chats @ ..] if word == b"since" => {
            let chat = |tag: &RedisResult| match tag {
                RedisResult::Binary(tag) => keys::chat_of(tag).ok_or_else(unknown),
                _ => Err(unknown()),
            };
            Ok(Feed::Since(
                entry_id(id)?,
                chats.iter().map(chat).collect::<Result<_, _>>()?,
            ))
        }
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::texts;

    #[test]
    fn a_feed_says_what_has_changed_or_that_it_does_not_know() {
        let id = "4611686018427387905-7".parse().unwrap();
        let chat = |name| Chat::parse(name).unwrap();
        for (words, feed) in [
            (&["all", "4611686018427387905-7"][..], Feed::All(id)),
            (&["since", "4611686018427387905-7"], Feed::Since(id, Vec::new())),
            (
                &["since", "4611686018427387905-7", "a:b", "%7B:c"],
                Feed::Since(id, vec![chat("a:b"), chat("{:c")]),
            ),
        ] {
            assert_eq!(decode(&texts(words)), Ok(feed));
        }
        for words in [
            &["since", "x"][..],
            &["since", "17-1", "a"],
            &["all"],
            &["unreadable", "why"],
        ] {
            assert!(decode(&texts(words)).is_err(), "{words:?}");
        }
    }
}
