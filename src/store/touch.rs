//! Touches the inboxes and feeds of a chat's members in a Cluster, where they are in other slots than the chat.

use crate::domain::chat::Chat;
use crate::domain::error::{Error, Result, Stored};
use crate::domain::member::Member;
use crate::redis::Script;
use crate::session::Session;
use crate::store::keys;
use futures::future::try_join;

const PARTS: &[&str] = &[include_str!("touch.lua"), include_str!("touch_member.lua")];

static TOUCH: Script = Script::replicating(PARTS);
static RING: Script = Script::writing(PARTS);

/// Puts the chat at this time, unless it is at a later one, in the inboxes of both members, and rings their feeds, all at once. Without
/// a time, it only rings. The same again changes nothing. What it fails with says that nobody can tell what is stored: the
/// chat has changed before.
pub(super) async fn touch(session: &Session, chat: &Chat, sender: &Member, time: Option<u64>) -> Result<()> {
    let other = chat.other(sender);
    let tag = keys::tag(chat);
    let script = if time.is_some() { &TOUCH } else { &RING };
    let time = time.map_or(String::new(), |time| time.to_string());
    let replicas = session.config().redis_replicas.to_string();
    let arguments = [&tag, &time, &replicas].map(String::as_bytes);
    let of = async |member: &Member| {
        let (feed, inbox) = (keys::feed(member), keys::inbox(member));
        script.run(session, &[&feed, &inbox], &arguments).await
    };
    let touched = if other == sender {
        of(sender).await.map(drop)
    } else {
        try_join(of(sender), of(other)).await.map(drop)
    };
    touched.map_err(|error| match error {
        Error::Unavailable { cause, .. } => Error::unavailable(cause, Stored::Unknown),
        other => other,
    })
}
