//! Fuzzing: what reads raw values is fed random ones, and must neither panic nor let anything invalid through.
//!
//! Each target runs for a second, or for as many as the variable `CONFAB_FUZZ_SECONDS` says (`make fuzz`).

#![expect(clippy::arithmetic_side_effects, reason = "a test fails by a panic")]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use std::time::{Duration, Instant};

/// Checks the target with values of the strategy until the time is over, and prints how many there were. A value that fails is
/// made as small as it can be, and printed.
pub(crate) fn fuzz<S: Strategy>(target: &str, strategy: &S, check: impl Fn(S::Value)) {
    let seconds = std::env::var("CONFAB_FUZZ_SECONDS").map_or(1, |seconds| seconds.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let config = Config {
        cases: 1000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut values = 0;
    while Instant::now() < end {
        let round = TestRunner::new(config.clone()).run(strategy, |value| {
            check(value);
            Ok(())
        });
        if let Err(why) = round {
            panic!("{target}: {why}");
        }
        values += 1000;
    }
    println!("fuzz: {values} values for {target}");
}

/// What has broken parsers before, to be put in the place of parts of valid input.
const PIECES: [&str; 26] = [
    "",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\0",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "%",
    "%00",
    "%FF",
    "&",
    "=",
    "+",
    "-1",
    "1e999",
    "18446744073709551616",
    "null",
    "true",
    "é",
    "\u{202e}",
    "İ",
];

/// Arbitrary bytes, or one of the valid inputs with a few of its parts replaced.
pub(crate) fn near(valid: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> + Clone {
    let piece = prop_oneof![
        3 => select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ];
    let edits = vec((any::<Index>(), 0..4_usize, piece), 0..6);
    let edited = (select(valid), edits).prop_map(|(valid, edits)| {
        let mut bytes = valid.as_bytes().to_vec();
        for (place, length, piece) in edits {
            let start = place.index(bytes.len() + 1);
            let end = bytes.len().min(start + length);
            bytes.splice(start..end, piece);
        }
        bytes
    });
    prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => edited]
}
