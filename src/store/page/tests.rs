//! Tests of the decoder of pages, on replies as Redis gives them and on random ones.

use super::*;
use crate::domain::entry_id::Epoch;
use crate::fuzz::{fuzz, near};
use crate::redis::texts;
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

/// A run of entries: of each its time and its text.
fn run(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let values: Vec<_> = entries
        .iter()
        .flat_map(|(sent, text)| [string(sent), string(text)])
        .collect();
    array(&values)
}

/// A page of these runs, in a chat that has the messages 3 to 9.
fn reply(runs: &[(&str, Vec<u8>)]) -> Vec<RedisResult> {
    let mut reply = texts(&["page", "17-9", "109"]);
    reply.extend([3, 9].map(RedisResult::Int64));
    for (first, packed) in runs {
        reply.extend(texts(&[first, ""]));
        reply.push(RedisResult::Binary(packed.clone()));
    }
    reply
}

fn chat() -> Chat {
    Chat::parse("alice:bob").unwrap()
}

fn forward(reply: &[RedisResult]) -> Result<Found, Unreadable> {
    decode(Order::Forward, &chat(), reply)
}

#[test]
fn a_page_is_the_log_s_two_ends_and_its_runs_of_entries() {
    let runs = [
        ("17-4", run(&[(b"18", b"Alice:hi"), (b"19", b"bob:\0:/")])),
        ("17-7", run(&[(b"21", b"bob:ho")])),
    ];
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
        data: None,
        send_time,
    };
    let messages = |indexes: [u64; 3]| {
        vec![
            message(indexes[0], "Alice", "hi", 18),
            message(indexes[1], "bob", "\0:/", 19),
            message(indexes[2], "bob", "ho", 21),
        ]
    };
    let slice = |messages: Vec<Message>| {
        Ok(Found::Slice(Some(Slice {
            extent,
            items: messages.into_iter().map(Item::Message).collect(),
            far: Some(9),
            told: Vec::new(),
        })))
    };
    assert_eq!(forward(&reply(&runs)), slice(messages([4, 5, 7])));
    assert_eq!(
        decode(Order::Reverse, &chat(), &reply(&runs)),
        slice(messages([4, 3, 7]))
    );
    assert_eq!(forward(&reply(&[])), slice(Vec::new()));
    assert_eq!(forward(&[]), Ok(Found::Slice(None)));
}

#[test]
fn a_page_has_notices_where_they_stand() {
    let mut reply = reply(&[("17-7", run(&[(b"21 deleted 4 18 1", b""), (b"22 {}", b"alice:hi")]))]);
    reply[6] = RedisResult::Binary(b"1".to_vec());
    let Ok(Found::Slice(Some(slice))) = forward(&reply) else {
        panic!("no slice");
    };
    let [Item::Notice(notice), Item::Message(message)] = &slice.items[..] else {
        panic!("{:?}", slice.items);
    };
    assert_eq!((notice.index, notice.time, notice.deleted.index), (7, 21, 4));
    assert_eq!((message.index, message.send_time), (8, 22));
    assert_eq!(slice.told, [7]);
}

#[test]
fn a_page_that_cannot_be_read_says_where_and_why() {
    let of_entry = |sent: &[u8], text: &[u8]| reply(&[("17-0", run(&[(sent, text)]))]);
    let with_oldest = |words: &[&str], oldest| {
        let mut reply = texts(words);
        reply.extend([oldest, RedisResult::Int64(9)]);
        reply
    };
    let half = reply(&[("17-0", array(&[string(b"17")]))]);
    for (values, why) in [
        (texts(&["unreadable", "WRONGTYPE Operation"]), "WRONGTYPE Operation"),
        (texts(&["17-9"]), "the reply of page.lua has an unknown shape"),
        (
            with_oldest(&["page", "17-9", "1"], RedisResult::Int64(-1)),
            "the reply of page.lua has an unknown shape",
        ),
        (
            texts(&["page", "17-9", "1", "17-0"]),
            "the reply of page.lua has an unknown shape",
        ),
        (
            [reply(&[]), texts(&["17-0"])].concat(),
            "the reply of page.lua has an unknown shape",
        ),
        (
            with_oldest(&["page", "x", "1"], RedisResult::Int64(0)),
            "\"x\" is not an entry's id",
        ),
        (reply(&[("x", run(&[]))]), "\"x\" is not an entry's id"),
        (
            with_oldest(&["page", "17-9", "x"], RedisResult::Int64(0)),
            "has a time that is no number",
        ),
        (half, "the page has half a message, or one without an index"),
        (of_entry(b"sender", b"a:b"), "entry 17-0: has a time that is no number"),
        (of_entry(b"17", b"ab"), "entry 17-0: has no sender"),
        (of_entry(b"17", b"\xff:b"), "entry 17-0: is not UTF-8"),
        (of_entry(b"17", b"a:\xff"), "entry 17-0: is not UTF-8"),
        (
            of_entry(b"17 said", b""),
            "entry 17-0: has a notice that cannot be read",
        ),
        (
            of_entry(b"17 {", b"a:b"),
            "entry 17-0: has data that cannot be read: is not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            reply(&[("17-0", b"\xc1".to_vec())]),
            "the reply is not valid MessagePack",
        ),
    ] {
        assert_eq!(forward(&values), Err(Unreadable(why.to_owned())));
    }
    // No entry has an index below 0, or above what an id can hold.
    let two = run(&[(b"17", b"a:b"), (b"18", b"a:b")]);
    for (order, first) in [(Order::Reverse, "17-0"), (Order::Forward, "17-9007199254740992")] {
        assert!(decode(order, &chat(), &reply(&[(first, two.clone())])).is_err());
    }
}

#[test]
fn fuzz_pages() {
    let value = prop_oneof![
        6 => near(&["17-3", "18", "void", "page", "unreadable"]).prop_map(RedisResult::Binary),
        1 => any::<i64>().prop_map(RedisResult::Int64),
        1 => Just(RedisResult::Nil),
    ];
    let page = (near(&["\u{92}", "\x17a:b"]), near(&["17-3"])).prop_map(|(bytes, id)| {
        let mut page = run(&[(b"18", b"a:hi")]);
        page.extend(bytes);
        let mut values = reply(&[("17-3", page.clone())]);
        values.extend([id, Vec::new(), page].map(RedisResult::Binary));
        values
    });
    let order = prop_oneof![Just(Order::Forward), Just(Order::Reverse)];
    fuzz(
        "pages",
        &(order, prop_oneof![vec(value, 0..8), page]),
        |(order, reply)| {
            if let Ok(Found::Slice(Some(slice))) = decode(order, &chat(), &reply) {
                let bytes = |value: &RedisResult| match value {
                    RedisResult::Binary(page) => page.len(),
                    _ => 0,
                };
                assert!(reply.iter().map(bytes).sum::<usize>() >= slice.items.len());
            }
        },
    );
}
