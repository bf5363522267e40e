//! A watch on one Redis stream.

use crate::domain::entry_id::EntryId;
use crate::domain::error::{Result, Stored};
use crate::redis::attempt::ask;
use crate::redis::cluster;
use crate::redis::connection::binary;
use crate::redis::failure::Failure;
use crate::redis::waiting::own::Own;
use crate::redis::waiting::room::{keeps_room, open_if_room};
use crate::session::Session;
use spin_sdk::redis::RedisResult;
use spin_sdk::time;
use spin_sdk::wasip3::random::random::get_random_u64;
use std::time::{Duration, Instant};

/// How long a waiter keeps its connection before it asks again whether Redis has room for it.
const KEPT: Duration = Duration::from_secs(5);

/// The longest pause between two polls.
const POLL: Duration = Duration::from_secs(1);

/// A watch on one Redis stream.
///
/// It holds a Redis connection of its own while more than a quarter of Redis's `maxclients` is free, which it asks at its first wait and
/// every 5 s. If not, it polls once a second on the shared connection, until a later wait finds room.
#[derive(Default)]
pub struct Watch(Option<Waiting>);

struct Waiting {
    own: Own,
    /// When it last asked for room.
    asked: Instant,
}

impl Watch {
    /// Waits, at most for `timeout`, until the Redis stream has an entry after this one (`None`: any). It may return early: the caller
    /// reads again.
    pub async fn wait(
        &mut self,
        session: &Session,
        stream: &str,
        after: Option<EntryId>,
        timeout: Duration,
    ) -> Result<()> {
        let after = after.map_or("0-0".into(), |id| id.to_string());
        let began = Instant::now();
        if self.0.is_none() {
            let own = open_if_room(session, stream).await?;
            self.0 = own.map(|own| Waiting { own, asked: began });
        }
        // Taken out: if the connection fails, or this ends early, it is closed.
        while let Some(Waiting { mut own, mut asked }) = self.0.take() {
            if asked.elapsed() >= KEPT {
                asked = Instant::now();
                if !keeps_room(session, &mut own).await? {
                    break;
                }
            }
            let left = timeout.saturating_sub(began.elapsed());
            // To XREAD BLOCK, 0 means for ever.
            let block = left.min(KEPT).max(Duration::from_millis(1));
            let milliseconds = block.as_millis().to_string();
            let arguments = xread(&["BLOCK", &milliseconds], stream, &after);
            let arguments = arguments.into_iter().map(|word| binary(word.as_bytes())).collect();
            let reply = own
                .run(
                    session,
                    block.saturating_add(session.config().redis_timeout),
                    "XREAD",
                    arguments,
                )
                .await;
            let reply = match reply {
                Ok(reply) => reply,
                Err(Failure::Moved(redirect)) => {
                    cluster::moved(session, own.node(), &redirect).await;
                    // The next wait opens a connection to the other node.
                    return poll(session, stream, &after, left.min(POLL)).await;
                }
                // Nothing wakes a waiter in a slot that is moving.
                Err(Failure::Ask(_)) => return poll(session, stream, &after, left.min(KEPT)).await,
                Err(failure) => return Err(failure.error(Stored::NotAsked)),
            };
            self.0 = Some(Waiting { own, asked });
            if has_grown(&reply) || left <= block {
                return Ok(());
            }
        }
        poll(session, stream, &after, timeout.saturating_sub(began.elapsed())).await
    }
}

/// Polls once a second on the shared connection, for `timeout`, whether the Redis stream has grown.
async fn poll(session: &Session, stream: &str, after: &str, timeout: Duration) -> Result<()> {
    let began = Instant::now();
    loop {
        let left = timeout.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        // Those that began together poll at different times.
        let pause = Duration::from_millis(get_random_u64().checked_rem(500).unwrap_or(0).saturating_add(500));
        time::sleep(pause.min(left)).await;
        let reply = ask(session, stream, "XREAD", &xread(&[], stream, after)).await?;
        if has_grown(&reply) {
            return Ok(());
        }
    }
}

/// Whether a reply to `XREAD` has an entry.
fn has_grown(reply: &[RedisResult]) -> bool {
    !matches!(reply, [] | [RedisResult::Nil])
}

/// The arguments of an `XREAD` of one entry.
fn xread<'a>(options: &[&'a str], stream: &'a str, after: &'a str) -> Vec<&'a str> {
    [options, &["COUNT", "1", "STREAMS", stream, after]].concat()
}
