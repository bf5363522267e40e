//! Tests of the decoder of pages, on replies as Redis gives them and on random ones.

use super::*;
use crate::domain::entry_id::Epoch;
use crate::fuzz::{fuzz, near};
use crate::store::reply::strings;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn a_page_is_the_log_s_two_ends_and_its_entries() {
    let page = r#"[["17-3",["sender","Alice","time","17","text","hi"]],["17-4",["sender","bob","time","18","text","\u0000\/"]]]"#;
    let extent = Extent {
        epoch: Epoch::new(17).unwrap(),
        oldest: 3,
        newest: 9,
    };
    let message = |index, sender: &str, text: &str, send_time| Message {
        index,
        sender: sender.into(),
        text: text.into(),
        send_time,
    };
    let messages = vec![message(3, "Alice", "hi", 17), message(4, "bob", "\0/", 18)];
    assert_eq!(
        decode(&strings(&["17-9", "17-3", page])),
        Ok(Some(Slice { extent, messages }))
    );
    let empty = Slice {
        extent,
        messages: Vec::new(),
    };
    assert_eq!(decode(&strings(&["17-9", "17-3", "[]"])), Ok(Some(empty)));
    assert_eq!(decode(&[]), Ok(None));
}

#[test]
fn a_page_that_cannot_be_read_says_where_and_why() {
    let of_page = |page| ["17-9", "17-0", page];
    for (values, why) in [
        (&["unreadable", "WRONGTYPE Operation"][..], "WRONGTYPE Operation"),
        (&["17-9"], "the reply of read.lua has an unknown shape"),
        (&["17-9", "x", "[]"], "\"x\" is not an entry's id"),
        (
            &of_page("{}"),
            "the page is not valid JSON: invalid type: map, expected a sequence at line 1 column 0",
        ),
        (
            &of_page(r#"[["17-0",["sender","a"]]]"#),
            "entry 17-0: does not have the three fields of a message",
        ),
        (
            &of_page(r#"[["17-0",["sender","a","time","1","text","b","more","c"]]]"#),
            "entry 17-0: does not have the three fields of a message",
        ),
        (
            &of_page(r#"[["17-0",["a\/b","b","time","1","text","c"]]]"#),
            "entry 17-0: has field \"a/b\", expected \"sender\"",
        ),
        (
            &of_page(r#"[["17-0",["a","b","time","1","text","c"]]]"#),
            "entry 17-0: has field \"a\", expected \"sender\"",
        ),
        (
            &of_page(r#"[["17-0",["sender","a","time","x","text","hi"]]]"#),
            "entry 17-0: has the time \"x\"",
        ),
    ] {
        assert_eq!(decode(&strings(values)), Err(Unreadable(why.to_owned())));
    }
    let mut not_utf8 = strings(&["17-9", "17-0"]);
    let page = b"[[\"17-0\",[\"sender\",\"\xff\",\"time\",\"1\",\"text\",\"hi\"]]]";
    not_utf8.push(RedisResult::Binary(page.to_vec()));
    assert_eq!(
        decode(&not_utf8),
        Err(Unreadable("entry 17-0: is not UTF-8".to_owned()))
    );
}

#[test]
fn fuzz_pages() {
    let value = prop_oneof![
        6 => near(&["17-3", "18", "unreadable"]).prop_map(RedisResult::Binary),
        1 => any::<i64>().prop_map(RedisResult::Int64),
        1 => Just(RedisResult::Nil),
    ];
    let pages = near(&["[]", r#"[["17-3",["sender","a","time","18","text","\u0000hi"]]]"#]);
    let page = pages.prop_map(|page| {
        let mut reply = strings(&["17-9", "17-0"]);
        reply.push(RedisResult::Binary(page));
        reply
    });
    fuzz("pages", &prop_oneof![vec(value, 0..5), page], |reply| {
        if let Ok(Some(slice)) = decode(&reply) {
            assert!(matches!(&reply[..], [_, _, RedisResult::Binary(page)] if page.len() > slice.messages.len()));
        }
    });
}
