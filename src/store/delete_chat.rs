//! Deletes a chat, for both of its members.

use crate::domain::chat::Chat;
use crate::domain::entry_id::Epoch;
use crate::domain::error::{Error, Result};
use crate::domain::inbox::Place;
use crate::redis;
use crate::redis::{Script, number};
use crate::session::Session;
use crate::store::inbox::remove;
use crate::store::keys;
use crate::store::reply::{Unreadable, void};
use crate::store::touch::touch;
use spin_sdk::redis::RedisResult;

static DELETE_CHAT: Script = Script::replicating(&[
    include_str!("entry.lua"),
    include_str!("confirm.lua"),
    include_str!("touch.lua"),
    include_str!("delete_chat.lua"),
]);

/// Deletes the chat whose log has this epoch: its messages, its marks, and its places in inboxes. What is set for it stays. Its followers
/// receive a reset, within a heartbeat. Said again, it changes nothing. Fails with [`Error::Gone`] if the chat has another log.
pub async fn delete_chat(session: &Session, chat: &Chat, epoch: Epoch) -> Result<()> {
    let [first, second] = chat.members();
    let of_chat = [
        keys::log(chat),
        keys::marks(chat),
        keys::holes(chat),
        keys::settings(chat),
    ];
    let members: Vec<_> = [first, second].into_iter().skip(usize::from(first == second)).collect();
    let inboxes = members.iter().map(|member| keys::inbox(member));
    let feeds = members.iter().map(|member| keys::feed(member));
    let all: Vec<_> = of_chat.iter().cloned().chain(inboxes).chain(feeds).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let epoch = epoch.get().to_string();
    let arguments = [epoch.as_bytes()];
    let is_whole = DELETE_CHAT.run_undivided(session, &all, &arguments).await?;
    let reply = if let Some(reply) = is_whole {
        reply
    } else {
        DELETE_CHAT
            .run(session, &of_chat.each_ref().map(String::as_str), &arguments)
            .await?
    };
    let time = decode(&reply).map_err(|why| why.at(&keys::log(chat)))??;
    if redis::is_divided() {
        // A place that is not removed now, or that a message has taken meanwhile, is met by the next page.
        let place = Place {
            time,
            chat: chat.clone(),
        };
        for member in members {
            remove(session, member, std::slice::from_ref(&place)).await?;
        }
        touch(session, chat, first, None).await?;
    }
    Ok(())
}

/// What `delete_chat.lua` replies: the time of the log's newest entry.
fn decode(reply: &[RedisResult]) -> Result<Result<u64>, Unreadable> {
    match reply {
        [RedisResult::Binary(word), time] if word == b"deleted" => {
            let time = number(time).ok_or_else(|| Unreadable::of_reply("delete_chat.lua", reply))?;
            Ok(Ok(time))
        }
        _ => void("delete_chat.lua", reply).map(|reset| {
            Err(Error::Gone {
                epoch: reset.epoch,
                index: reset.index,
            })
        }),
    }
}
