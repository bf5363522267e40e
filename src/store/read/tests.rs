//! Tests of the decoder of pages, on replies as Redis gives them and on random ones.

use super::*;
use crate::domain::entry_id::Epoch;
use crate::fuzz::{fuzz, near};
use crate::store::reply::strings;
use proptest::collection::vec;
use proptest::prelude::*;

/// An array of these values, as `cmsgpack` packs it.
fn array(values: &[Vec<u8>]) -> Vec<u8> {
    let length = 0x90 | u8::try_from(values.len()).unwrap();
    [vec![length], values.concat()].concat()
}

fn string(value: &[u8]) -> Vec<u8> {
    let length = 0xa0 | u8::try_from(value.len()).unwrap();
    [vec![length], value.to_vec()].concat()
}

fn entry(id: &str, fields: &[&[u8]]) -> Vec<u8> {
    let fields: Vec<_> = fields.iter().map(|field| string(field)).collect();
    array(&[string(id.as_bytes()), array(&fields)])
}

/// A page of these entries, in a chat that has the messages 3 to 9.
fn reply(page: Vec<u8>) -> Vec<RedisResult> {
    let mut reply = strings(&["page", "17-9", "109", "17-3"]);
    reply.push(RedisResult::Binary(page));
    reply
}

#[test]
fn a_page_is_the_log_s_two_ends_and_its_entries() {
    let page = array(&[
        entry("17-3", &[b"17", b"Alice:hi"]),
        entry("17-4", &[b"18", b"bob:\0:/"]),
    ]);
    let extent = Extent {
        epoch: Epoch::new(17).unwrap(),
        oldest: 3,
        newest: 9,
        newest_time: 109,
    };
    let message = |index, sender: &str, text: &str, send_time| Message {
        index,
        sender: sender.into(),
        text: text.into(),
        send_time,
    };
    let messages = vec![message(3, "Alice", "hi", 17), message(4, "bob", "\0:/", 18)];
    let slice = |messages| Ok(Found::Slice(Some(Slice { extent, messages })));
    assert_eq!(decode(&reply(page)), slice(messages));
    assert_eq!(decode(&reply(Vec::new())), slice(Vec::new()));
    assert_eq!(decode(&[]), Ok(Found::Slice(None)));
}

#[test]
fn a_page_that_cannot_be_read_says_where_and_why() {
    let of_entry = |fields: &[&[u8]]| reply(array(&[entry("17-0", fields)]));
    for (values, why) in [
        (strings(&["unreadable", "WRONGTYPE Operation"]), "WRONGTYPE Operation"),
        (strings(&["17-9"]), "the reply of read.lua has an unknown shape"),
        (strings(&["page", "17-9", "1", "x", ""]), "\"x\" is not an entry's id"),
        (
            strings(&["page", "17-9", "x", "17-0", ""]),
            "has a time that is no number",
        ),
        (
            of_entry(&[b"17"]),
            "entry 17-0: does not have the one field of a message",
        ),
        (
            of_entry(&[b"17", b"a:b", b"c", b"d"]),
            "entry 17-0: does not have the one field of a message",
        ),
        (
            of_entry(&[b"sender", b"a:b"]),
            "entry 17-0: has a time that is no number",
        ),
        (of_entry(&[b"17", b"ab"]), "entry 17-0: has no sender"),
        (of_entry(&[b"17", b"\xff:b"]), "entry 17-0: is not UTF-8"),
        (of_entry(&[b"17", b"a:\xff"]), "entry 17-0: is not UTF-8"),
    ] {
        assert_eq!(decode(&values), Err(Unreadable(why.to_owned())));
    }
    let Unreadable(why) = decode(&reply(b"\xc1".to_vec())).unwrap_err();
    assert!(why.starts_with("the page is not valid MessagePack"), "{why}");
}

#[test]
fn fuzz_pages() {
    let value = prop_oneof![
        6 => near(&["17-3", "18", "void", "page", "unreadable"]).prop_map(RedisResult::Binary),
        1 => any::<i64>().prop_map(RedisResult::Int64),
        1 => Just(RedisResult::Nil),
    ];
    let page = near(&["\u{92}", "\x17a:b"]).prop_map(|bytes| {
        let mut page = array(&[entry("17-3", &[b"18", b"a:hi"])]);
        page.extend(bytes);
        reply(page)
    });
    fuzz("pages", &prop_oneof![vec(value, 0..6), page], |reply| {
        if let Ok(Found::Slice(Some(slice))) = decode(&reply) {
            assert!(
                matches!(&reply[..], [_, _, _, _, RedisResult::Binary(page)] if page.len() >= slice.messages.len())
            );
        }
    });
}
