//! An export of a chat of a million messages, and of a person with 100,000 chats: its time, its scripts, and its memory.

use crate::export::{EPOCH, asking, begin, service};
use confab_kit::{Confab, Redis};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

/// How much more memory an export may take than the host had before.
const MOST_KIB: u64 = 40 * 1024;

/// How much of Redis's processor time a script of an export may take, its reply included, in microseconds.
const MOST_US: u128 = 2500;

/// Fills chats of one message each.
const CHATS: &str = "local epoch = ARGV[3] for index = ARGV[1], ARGV[2] do
        local chat, time = string.format('%012d:x', index), string.format('%.0f', epoch + index)
        redis.call('XADD', 'confab:{' .. chat .. '}:log', epoch .. '-0', time, 'x:hi')
        redis.call('ZADD', 'confab:{x}:inbox', time, chat) end";

/// Runs a script that fills, for the numbers from 0 to below `count`: 10,000 at once.
async fn fill(redis: &Redis, script: &str, count: u64) {
    for from in (0..count).step_by(10_000) {
        let (from, to) = (from.to_string(), (from + 9_999).to_string());
        redis
            .command::<()>(["EVAL", script, "0", &from, &to, &EPOCH.to_string()])
            .await;
    }
}

/// A figure of this process's memory, in KiB.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|character: char| !character.is_ascii_digit())
        .parse()
        .unwrap()
}

/// Exports, and counts the lines without keeping them. Returns the last of them.
async fn count(confab: &Confab, query: &str) -> (usize, usize, String) {
    let mut answer = begin(confab, &service(), query).await;
    assert_eq!(answer.status(), 200);
    let (mut lines, mut bytes, mut tail) = (0, 0, Vec::new());
    while let Some(chunk) = answer.chunk().await.unwrap() {
        bytes += chunk.len();
        lines += chunk.split(|byte| *byte == b'\n').count() - 1;
        tail.extend_from_slice(&chunk);
        tail.drain(..tail.len().saturating_sub(200));
    }
    let tail = String::from_utf8_lossy(&tail);
    (lines, bytes, tail.trim_end().rsplit('\n').next().unwrap().to_owned())
}

async fn measure(what: &str, script: &str, amount: u64, lines: usize, end: &str) {
    let redis = Redis::start();
    let confab = asking(Confab::on(&redis)).start();
    // What the host needs for any request.
    count(&confab, "name=nobody").await;
    fill(&redis, script, amount).await;
    redis
        .command::<()>(["CONFIG", "SET", "slowlog-log-slower-than", "0"])
        .await;
    redis
        .command::<()>(["CONFIG", "SET", "slowlog-max-len", "1000000"])
        .await;
    redis.command::<()>(["SLOWLOG", "RESET"]).await;
    let processor = redis.processor_time().await;
    // The peak begins anew.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let began = Instant::now();
    let (found, bytes, last) = count(&confab, "name=x").await;
    let took = began.elapsed();
    let more = memory("VmHWM:").saturating_sub(before);
    let processor = Duration::from_micros(redis.processor_time().await - processor);
    let slow: Vec<(u64, u64, u64, Vec<String>, String, String)> = redis.command(["SLOWLOG", "GET", "-1"]).await;
    let scripts = slow.iter().filter(|entry| entry.3[0] == "EVALSHA").map(|entry| entry.2);
    let mut scripts: Vec<_> = scripts.collect();
    scripts.sort_unstable();
    let [half, most, worst] = [50, 99, 100].map(|percent| scripts[(scripts.len() - 1) * percent / 100]);
    let each = processor.as_micros() / u128::try_from(scripts.len()).unwrap();
    println!("{what}: {bytes} bytes in {took:?}, {more} KiB more at most");
    println!(
        "{} scripts: {each} us of Redis's processor each; from start to end",
        scripts.len()
    );
    println!("median {half} us, p99 {most} us, worst {worst} us");
    assert_eq!((found, last.as_str()), (lines, end));
    assert!(more <= MOST_KIB, "{more} KiB");
    // From start to end, a script may have waited for the processor.
    assert!(each <= MOST_US, "{each} us");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures: run it alone, on a quiet machine"]
async fn a_chat_of_a_million_messages() {
    let script = "local epoch = ARGV[3] for index = ARGV[1], ARGV[2] do
        local time = string.format('%.0f', epoch + index)
        redis.call('XADD', 'confab:{0:x}:log', epoch .. '-' .. string.format('%.0f', index), time, '0:a message of some forty letters, number ' .. index)
        redis.call('ZADD', 'confab:{x}:inbox', time, '0:x') end";
    let end = r#"{"end":true,"chats":1,"messages":1000000,"removed":0}"#;
    measure("a chat of 1,000,000 messages", script, 1_000_000, 1_000_003, end).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures: run it alone, on a quiet machine"]
async fn a_person_with_a_hundred_thousand_chats() {
    let end = r#"{"end":true,"chats":100000,"messages":100000,"removed":0}"#;
    measure("100,000 chats", CHATS, 100_000, 200_002, end).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures: run it alone, on a quiet machine"]
async fn a_chat_of_the_longest_texts() {
    let script = "local epoch = ARGV[3] local text = '0:' .. string.rep('\\1', 65536) for index = ARGV[1], math.min(ARGV[2], 1999) do
        redis.call('XADD', 'confab:{0:x}:log', epoch .. '-' .. string.format('%.0f', index), string.format('%.0f', epoch + index), text) end
        redis.call('ZADD', 'confab:{x}:inbox', epoch, '0:x')";
    let end = r#"{"end":true,"chats":1,"messages":2000,"removed":0}"#;
    measure("a chat of 2,000 texts of 64 KiB", script, 2_000, 2_003, end).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes a minute"]
async fn a_person_with_too_many_chats_has_to_name_each() {
    let redis = Redis::start();
    let confab = asking(Confab::on(&redis)).start();
    fill(&redis, CHATS, 210_000).await;
    let answer = begin(&confab, &service(), "name=x").await;
    let problem: Value = answer.json().await.unwrap();
    assert_eq!((&problem["status"], &problem["field"]), (&json!(400), &json!("chat")));
    let one = "{\"end\":true,\"chats\":1,\"messages\":1,\"removed\":0}";
    assert_eq!(count(&confab, "name=x&chat=000000000007:x").await.2, one);
}
