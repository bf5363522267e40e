//! Notices as a chat log has them.

use crate::domain::chat::Chat;
use crate::domain::entry_id::counted;
use crate::domain::notice::{Deleted, Notice};
use crate::store::reply::Unreadable;

/// The notice that is stored at `index`, written at `time`: `deleted <index> <send_time> <by>`, where `by` is `0` or `1` for the chat's first or
/// second member, and `s` for the app's own service.
pub(super) fn stored_notice(chat: &Chat, index: u64, time: u64, said: &str) -> Result<Notice, Unreadable> {
    let words: Vec<_> = said.split(' ').collect();
    let [first, second] = chat.members();
    let by = match words.last() {
        Some(&"0") => Some(first.clone()),
        Some(&"1") => Some(second.clone()),
        _ => None,
    };
    let deleted = match words.as_slice() {
        ["deleted", place, sent, "0" | "1" | "s"] => counted(place).zip(counted(sent)),
        _ => None,
    };
    let (place, send_time) = deleted.ok_or_else(|| Unreadable("has a notice that cannot be read".into()))?;
    let deleted = Deleted {
        index: place,
        send_time,
        by,
    };
    Ok(Notice { index, time, deleted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_what_was_deleted_and_by_whom() {
        let chat = Chat::parse("bob:alice").unwrap();
        let notice = |said| stored_notice(&chat, 9, 26, said);
        for (said, by) in [
            ("deleted 5 17 0", Some("alice")),
            ("deleted 5 17 1", Some("bob")),
            ("deleted 5 17 s", None),
        ] {
            let Notice { index, time, deleted } = notice(said).unwrap();
            let by_name = deleted.by.as_ref().map(|by| by.as_str().to_owned());
            assert_eq!((index, time, deleted.index, deleted.send_time), (9, 26, 5, 17));
            assert_eq!(by_name.as_deref(), by);
        }
        for said in [
            "",
            "deleted",
            "deleted 5 17",
            "deleted 5 17 2",
            "deleted -5 17 0",
            "deleted 5 x 0",
            "deleted 5 17 0 0",
            "other 5 17 0",
        ] {
            assert!(notice(said).is_err(), "{said}");
        }
    }
}
