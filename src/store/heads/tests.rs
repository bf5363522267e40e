//! Tests of what is read of a chat for an inbox.

use super::*;
use crate::domain::data::Data;
use crate::redis::texts;

fn entry(head: &[&str]) -> Result<Entry, Unreadable> {
    let chat = Chat::parse("alice:bob").unwrap();
    let head: Vec<_> = head.iter().map(|text| text.as_bytes()).collect();
    decode_head(&Member::parse("bob").unwrap(), &chat, &head)
}

#[test]
fn a_head_is_the_newest_message_and_what_is_read() {
    let entry = entry(&[
        "0", "17-9", "26", "Bob", "hi", "1", "{}", "3", "17-7-24", "0", "1", "", "8", "25", "1",
    ])
    .unwrap();
    assert_eq!((entry.with.as_str(), entry.unread(), entry.cut), ("alice", 1, true));
    let Message {
        index,
        sender,
        text,
        data,
        send_time,
    } = &entry.last;
    assert_eq!(
        (*index, sender.as_str(), text.as_str(), *send_time),
        (8, "Bob", "hi", 25)
    );
    assert_eq!((entry.read.next_index(), entry.read_by_other.next_index()), (8, 0));
    assert_eq!((data.as_ref().map(Data::as_str), entry.data_cut), (Some("{}"), false));
    let (blocked, muted) = (true, false);
    assert_eq!(entry.side, Side { blocked, muted });
}

#[test]
fn a_head_of_a_chat_with_nothing_set_or_deleted_is_shorter() {
    let head = ["0", "17-9", "26", "Bob", "hi", "", "", "3", "17-7-24", "0"];
    let short = entry(&head).unwrap();
    assert_eq!((short.last.index, short.last.send_time), (9, 26));
    assert_eq!((short.unread(), short.side), (2, Side::default()));
    let half = [&head[..], &["1", ""]].concat();
    assert_eq!(entry(&half), Err(Unreadable("a head of an unknown shape".into())));
}

#[test]
fn a_head_that_cannot_be_read_says_why() {
    for (head, why) in [
        (&["0", "WRONGTYPE"][..], "WRONGTYPE"),
        (&[], "a head of an unknown shape"),
        (
            &[
                "0", "x", "26", "Bob", "hi", "", "", "3", "0", "0", "", "", "9", "26", "0",
            ],
            "\"x\" is not an entry's id",
        ),
        (
            &[
                "0", "17-9", "from", "Bob", "hi", "", "", "3", "0", "0", "", "", "9", "26", "0",
            ],
            "has a time that is no number",
        ),
        (
            &[
                "0", "17-9", "26", "Bob", "hi", "", "cut", "3", "17", "0", "", "", "9", "26", "0",
            ],
            "has a position that is none",
        ),
    ] {
        assert_eq!(entry(head), Err(Unreadable(why.into())));
    }
    let reply = texts(&["heads", "2", "\u{10}"]);
    let Unreadable(why) = decode(&reply).unwrap_err();
    assert!(why.contains("heads.lua"), "{why}");
}
