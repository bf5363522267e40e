//! Touches the inboxes and feeds of a chat's members in a Cluster, where they are in other slots than the chat.

use crate::domain::chat::Chat;
use crate::domain::error::{Error, Result, Stored};
use crate::domain::member::Member;
use crate::redis::{Script, ask, number};
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::time;
use futures::future::try_join;
use spin_sdk::redis::RedisResult;

const PARTS: &[&str] = &[include_str!("touch.lua"), include_str!("touch_member.lua")];

static TOUCH: Script = Script::replicating(PARTS);
static RING: Script = Script::writing(PARTS);

/// A message whose chat is to be put at its time.
#[derive(Clone, Copy)]
pub(super) struct Newest {
    /// When it was sent.
    pub(super) time: u64,
    /// Whether the chat log begins with it.
    pub(super) begins: bool,
}

/// Puts the chat at the time of this message, unless it is at a later one, in the inboxes of both members, and rings their feeds, all at
/// once. Without a message, it only rings. The same again changes nothing. What it fails with says that nobody can tell what is stored:
/// the chat has changed before.
pub(super) async fn touch(session: &Session, chat: &Chat, sender: &Member, newest: Option<Newest>) -> Result<()> {
    let other = chat.other(sender);
    let of = async |member: &Member| match newest {
        None => ring(session, chat, member).await,
        Some(newest) => place(session, chat, member, newest).await,
    };
    let touched = if other == sender {
        of(sender).await
    } else {
        try_join(of(sender), of(other)).await.map(drop)
    };
    touched.map_err(|error| match error {
        Error::Unavailable { cause, .. } => Error::unavailable(cause, Stored::Unknown),
        other => other,
    })
}

/// Rings one member's feed: only those who follow that member's inbox look at the chat.
pub(super) async fn ring(session: &Session, chat: &Chat, member: &Member) -> Result<()> {
    run(session, &RING, chat, member, [None; 2]).await.map(drop)
}

/// Puts the chat at the time of a message in a member's inbox.
///
/// If the log begins with the message and the chat is at a later time, that may be the place of a log that was lost, from before a clock
/// was set back. It is, if it is later than the newest message: then the chat is put at the time of that one instead. As
/// messages that came meanwhile could not do so, the newest is asked for again.
async fn place(session: &Session, chat: &Chat, member: &Member, sent: Newest) -> Result<()> {
    let at = run(
        session,
        &TOUCH,
        chat,
        member,
        [Some(sent.time), sent.begins.then_some(0)],
    )
    .await?;
    let Some(lost) = at.filter(|at| *at > sent.time) else {
        return Ok(());
    };
    let newest = newest_time(session, chat).await?;
    if newest.is_some_and(|newest| newest < lost) {
        run(session, &TOUCH, chat, member, [newest, Some(lost)]).await?;
        if let newest @ Some(_) = newest_time(session, chat).await? {
            run(session, &TOUCH, chat, member, [newest, None]).await?;
        }
    }
    Ok(())
}

/// Runs the script with the chat's time and the place that is a lost log's, and returns the chat's time in the inbox.
async fn run(
    session: &Session,
    script: &Script,
    chat: &Chat,
    member: &Member,
    times: [Option<u64>; 2],
) -> Result<Option<u64>> {
    let (feed, inbox, tag) = (keys::feed(member), keys::inbox(member), keys::tag(chat));
    let [time, lost] = times.map(|time| time.map_or(String::new(), |time| time.to_string()));
    let replicas = session.config().redis_replicas.to_string();
    let arguments = [&tag, &time, &replicas, &lost].map(String::as_bytes);
    let reply = script.run(session, &[&feed, &inbox], &arguments).await?;
    Ok(reply.first().and_then(number))
}

/// When the chat's newest message was sent; `None` if there is none.
async fn newest_time(session: &Session, chat: &Chat) -> Result<Option<u64>> {
    let log = keys::log(chat);
    let newest = ask(session, &log, "XREVRANGE", &[&log, "+", "-", "COUNT", "1"]).await?;
    let [RedisResult::Binary(_), RedisResult::Binary(sent), ..] = newest.as_slice() else {
        return Ok(None);
    };
    time(sent).map(Some).map_err(|why| why.at(&log))
}
