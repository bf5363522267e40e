//! Chats of any length, written into Redis as confab stores them, and as the original does.

use crate::load::chat;
use confab_kit::{Redis, log_key};

/// Appends so many messages of 60 bytes to a chat log, each as `append.lua` does.
const LOG: &str = "
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local now = redis.call('TIME')
local time = now[1] * 1000000 + now[2]
local epoch, last = string.format('%.0f', time), -1
if newest then
  epoch, last = string.match(newest[1], '^(%d+)%-(%d+)$')
  time = tonumber(newest[2][1])
end
for index = last + 1, last + ARGV[1] do
  time = time + 1
  redis.call('XADD', KEYS[1], string.format('%s-%.0f', epoch, index), string.format('%.0f', time),
    string.format('b:%060d', index))
end";

/// The same in the original's sorted set: the score is the time, the member is JSON.
const SORTED_SET: &str = "
local count = redis.call('ZCARD', KEYS[1])
for index = count, count + ARGV[1] - 1 do
  redis.call('ZADD', KEYS[1], 1763943000 + index,
    string.format('{\"sender\":\"b\",\"message\":\"%060d\",\"timestamp\":%d}', index, 1763943000 + index))
end";

/// The inbox of the one who is in all chats.
const B: &str = "confab:{b}:inbox";

const MESSAGES_AT_ONCE: usize = 10_000;

/// What to fill.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Log,
    SortedSet,
}

/// Adds `messages` to each of the run's chats from 1 to `chats`.
pub(crate) async fn fill(redis: &Redis, kind: Kind, run: &str, chats: usize, messages: usize) {
    let script = match kind {
        Kind::Log => LOG,
        Kind::SortedSet => SORTED_SET,
    };
    let mut connection = redis.connect().await;
    let numbers: Vec<_> = (1..=chats).collect();
    for some in numbers.chunks((MESSAGES_AT_ONCE / messages).max(1)) {
        let mut left = messages;
        while left > 0 {
            let now = left.min(MESSAGES_AT_ONCE);
            let mut pipeline = redis::pipe();
            for number in some {
                pipeline
                    .cmd("EVAL")
                    .arg(script)
                    .arg(1)
                    .arg(key(run, *number))
                    .arg(now)
                    .ignore();
            }
            let () = pipeline.query_async(&mut connection).await.unwrap();
            left -= now;
        }
    }
}

/// The Redis key of a chat log.
fn key(run: &str, number: usize) -> String {
    let chat = chat(run, number);
    let (other, b) = chat.split_once(':').unwrap();
    log_key(&format!("{b}:{other}"))
}

/// Removes all keys of the runs whose names begin like this. Returns how many there were.
pub(crate) async fn empty(redis: &Redis, run: &str) -> usize {
    let of_chats = remove(redis, &format!("confab:{{b:bench-{run}*")).await;
    let of_people = remove(redis, &format!("confab:{{bench-{run}*")).await;
    // The other member of all chats: a chat that is gone is in no page of this inbox, but takes its place.
    let mut cursor = 0_u64;
    loop {
        let scan = [
            "ZSCAN",
            B,
            &cursor.to_string(),
            "MATCH",
            &format!("*bench-{run}*"),
            "COUNT",
            "10000",
        ];
        let (next, chats): (u64, Vec<String>) = redis.command(scan).await;
        let mut words = vec!["ZREM".to_owned(), B.into()];
        words.extend(chats.into_iter().step_by(2));
        if words.len() > 2 {
            redis.command::<()>(words).await;
        }
        if next == 0 {
            return of_chats + of_people;
        }
        cursor = next;
    }
}

async fn remove(redis: &Redis, pattern: &str) -> usize {
    let mut removed = 0;
    let mut cursor = 0_u64;
    loop {
        let scan = ["SCAN", &cursor.to_string(), "MATCH", pattern, "COUNT", "10000"];
        let (next, mut keys): (u64, Vec<String>) = redis.command(scan).await;
        if !keys.is_empty() {
            removed += keys.len();
            keys.insert(0, "DEL".into());
            redis.command::<()>(keys).await;
        }
        if next == 0 {
            return removed;
        }
        cursor = next;
    }
}
