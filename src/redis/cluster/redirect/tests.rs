//! Redirects and maps as Redis 7.0 writes them, and what is refused.

use super::*;
use crate::fuzz::{fuzz, near};
use proptest::collection::vec;
use proptest::prelude::*;

fn address(host: Option<&str>, port: u16) -> Address {
    Address {
        host: host.map(str::to_owned),
        port,
    }
}

#[test]
fn a_redirect_is_a_slot_and_an_address() {
    for (words, number, host, port) in [
        ("6677 127.0.0.1:7702", 6677, Some("127.0.0.1"), 7702),
        ("0 node-1.cache.example:6379", 0, Some("node-1.cache.example"), 6379),
        ("16383 ::1:7702", 16_383, Some("[::1]"), 7702),
        ("1 :7702", 1, None, 7702),
    ] {
        let to = address(host, port);
        let slot = Slot::numbered(number).unwrap();
        assert_eq!(Redirect::parse(words), Some(Redirect { slot, to }), "{words}");
    }
    for words in [
        "",
        "6677",
        "6677 ",
        "6677 host",
        "6677 host:",
        "6677 host:0",
        "6677 host:65536",
        "16384 host:1",
        "-1 host:1",
        "x host:1",
        "6677 ?:1",
        "6677 me@host:1",
        "6677 host/:1",
        "6677  host:1",
        "6677 host:1 more",
    ] {
        assert_eq!(Redirect::parse(words), None, "{words}");
    }
}

fn int(number: i64) -> RedisResult {
    RedisResult::Int64(number)
}

fn string(text: &str) -> RedisResult {
    RedisResult::Binary(text.as_bytes().to_vec())
}

#[test]
fn a_map_is_ranges_with_a_primary_and_replicas() {
    let reply = [
        [int(0), int(5460)].to_vec(),
        [string("10.0.0.1"), int(7001), string("id1")].to_vec(),
        [string("hostname"), string("one.example")].to_vec(),
        [RedisResult::Nil, int(7004), string("id4")].to_vec(),
        [int(5461), int(16_383)].to_vec(),
        [string("two.example"), int(7002), string("id2")].to_vec(),
        [string("ip"), string("10.0.0.2")].to_vec(),
        [int(7), int(7)].to_vec(),
        [string("?"), int(7003), string("id3")].to_vec(),
        [string("10.0.0.5"), int(7005), string("id5")].to_vec(),
    ]
    .concat();
    let range = |first, last, primary, replicas| Range {
        first: Slot::numbered(first).unwrap(),
        last: Slot::numbered(last).unwrap(),
        primary,
        replicas,
    };
    let expected = vec![
        range(0, 5460, address(Some("10.0.0.1"), 7001), vec![address(None, 7004)]),
        range(5461, 16_383, address(Some("two.example"), 7002), vec![]),
    ];
    assert_eq!(ranges(&reply), Some(expected));
    assert_eq!(ranges(&[]), Some(vec![]));
    let node = [string("h"), int(1), string("id")];
    for wrong in [
        vec![int(0)],
        vec![int(0), int(1)],
        vec![int(0), int(16_384), node[0].clone(), node[1].clone(), node[2].clone()],
        vec![int(0), int(1), node[0].clone(), node[1].clone()],
        vec![int(0), int(1), node[0].clone(), node[2].clone(), node[2].clone()],
        node.to_vec(),
        vec![RedisResult::Status("OK".into())],
    ] {
        assert_eq!(ranges(&wrong), None, "{wrong:?}");
    }
}

#[test]
fn fuzz_redirects() {
    let valid = &["6677 127.0.0.1:7702", "16383 ::1:7702", "1 :7702"];
    fuzz("redirects", &near(valid), |words| {
        let words = String::from_utf8_lossy(&words);
        if let Some(Redirect { to, .. }) = Redirect::parse(&words) {
            let host = to.host.unwrap_or_default();
            assert!(to.port > 0 && !host.contains(['@', '/', '?', '#', ' ']), "{words}");
        }
    });
}

#[test]
fn fuzz_maps() {
    let value = prop_oneof![
        4 => near(&["127.0.0.1", "?", "id"]).prop_map(RedisResult::Binary),
        4 => (-1..20_000_i64).prop_map(RedisResult::Int64),
        1 => any::<i64>().prop_map(RedisResult::Int64),
        1 => Just(RedisResult::Nil),
    ];
    let range = Just(vec![int(0), int(5460), string("h"), int(1), string("id")]);
    let part = prop_oneof![2 => range, 1 => vec(value, 0..4)];
    let reply = vec(part, 0..6).prop_map(|parts| parts.concat());
    fuzz("maps", &reply, |reply| {
        for range in ranges(&reply).into_iter().flatten() {
            assert!(range.primary.port > 0);
        }
    });
}
