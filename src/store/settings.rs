//! Sets what a member, or the app's own service, wants of a chat.

use crate::domain::chat_settings::{Settings, SettingsRequest, Side};
use crate::domain::error::{Error, Result};
use crate::redis::Script;
use crate::session::Session;
use crate::store::keys;
use crate::store::reply::Unreadable;
use crate::store::touch::ring;
use spin_sdk::redis::RedisResult;

static SETTINGS: Script = Script::replicating(&[include_str!("touch.lua"), include_str!("settings.lua")]);

/// Sets what the request asks for, rings the member's feed, and returns what is set then. Every send that begins after this has
/// returned finds it. Fails with [`Error::NoMessages`], and sets nothing, if only a side is to be set and the chat has neither
/// messages nor settings.
pub async fn set(session: &Session, request: &SettingsRequest) -> Result<Settings> {
    let (log, settings) = (keys::log(&request.chat), keys::settings(&request.chat));
    let member = request.member.as_ref();
    let name = member.map(keys::field).unwrap_or_default();
    let is_bound = if request.change.open.is_none() { "1" } else { "" };
    let change = [
        (format!("blocked:{name}"), request.change.blocked),
        (format!("muted:{name}"), request.change.muted),
        ("open".to_owned(), request.change.open),
    ];
    let mut arguments = vec![name.as_bytes(), is_bound.as_bytes()];
    for (field, value) in &change {
        if let Some(value) = value {
            arguments.extend([field.as_bytes(), if *value { b"1" } else { b"0" }]);
        }
    }
    let of_chat = [log.as_str(), settings.as_str()];
    let reply = if let Some(member) = member {
        let feed = keys::feed(member);
        let all = [log.as_str(), settings.as_str(), feed.as_str()];
        if let Some(reply) = SETTINGS.run_undivided(session, &all, &arguments).await? {
            reply
        } else {
            let reply = SETTINGS.run(session, &of_chat, &arguments).await?;
            ring(session, &request.chat, member).await?;
            reply
        }
    } else {
        SETTINGS.run(session, &of_chat, &arguments).await?
    };
    let [blocked, muted, open] = decode(&reply)
        .map_err(|why| why.at(&settings))?
        .ok_or(Error::NoMessages)?;
    Ok(Settings {
        chat: request.chat.clone(),
        side: member.map(|_| Side { blocked, muted }),
        open,
    })
}

/// What `settings.lua` replies: `None` if the chat takes no settings.
fn decode(reply: &[RedisResult]) -> Result<Option<[bool; 3]>, Unreadable> {
    match reply {
        [RedisResult::Binary(word)] if word == b"empty" => Ok(None),
        [
            RedisResult::Binary(word),
            RedisResult::Binary(blocked),
            RedisResult::Binary(muted),
            RedisResult::Binary(open),
        ] if word == b"set" => Ok(Some([blocked, muted, open].map(|value| value == b"1"))),
        _ => Err(Unreadable::of_reply("settings.lua", reply)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::texts;

    #[test]
    fn what_is_set_is_three_answers() {
        assert_eq!(decode(&texts(&["set", "1", "0", ""])), Ok(Some([true, false, false])));
        assert_eq!(decode(&texts(&["empty"])), Ok(None));
        for words in [&["set", "1"][..], &["unreadable", "why"], &[]] {
            assert!(decode(&texts(words)).is_err(), "{words:?}");
        }
    }
}
