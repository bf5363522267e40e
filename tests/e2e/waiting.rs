//! Waiting never takes what sends need: waiters share what Redis has left of its connections.

use confab_kit::{Confab, Follower, Redis, until};
use futures::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MAX_CLIENTS: u64 = 200;
const CHATS: usize = 50;
/// A third of them follow a stream, the others poll.
const WAITERS: usize = 1500;
const AT_ONCE: usize = 30;
const SENDS: usize = 1000;
const SENDERS: usize = 8;

fn chat(number: usize) -> String {
    format!("chat{}:x", number % CHATS)
}

async fn calls(redis: &Redis, name: &str) -> u64 {
    let stats = redis.info("commandstats").await;
    stats
        .calls()
        .find(|(found, _)| *found == name)
        .map_or(0, |(_, calls)| calls)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_hundred_waiters_on_two_hundred_connections_refuse_no_send() {
    let redis = Redis::with(&["--appendonly", "no", "--maxclients", &MAX_CLIENTS.to_string()]);
    let confab = Arc::new(Confab::start(&redis));
    let began = Instant::now();
    // Not all at once: each would be an instance with a connection of its own.
    let (mut polls, mut streams, mut looks) = (Vec::new(), Vec::new(), 0);
    for batch in 0..WAITERS / AT_ONCE {
        let numbers = batch * AT_ONCE..(batch + 1) * AT_ONCE;
        for number in numbers.clone().filter(|number| number % 3 != 0) {
            let confab = Arc::clone(&confab);
            let path = format!("/api/pull?chat={}&cursor=0&wait=25", chat(number));
            polls.push(tokio::spawn(async move {
                confab.get(&path).await.ok()["messages"][0]["index"] == 0
            }));
        }
        let opened = numbers.clone().filter(|number| number % 3 == 0).map(|number| {
            let follower = Follower::start(&confab, &format!("chat={}", chat(number)), None);
            follower.opened()
        });
        streams.extend(join_all(opened).await);
        until("every waiter has asked for room", async || {
            looks += 1;
            calls(&redis, "info").await >= looks - 1 + u64::try_from(numbers.end).unwrap()
        })
        .await;
        // Instances need connections too: waiters give some of theirs back.
        until("a tenth is free again", async || {
            looks += 1;
            redis.clients().await <= MAX_CLIENTS * 9 / 10
        })
        .await;
    }
    let waiting = began.elapsed();
    let (connected, blocked) = (redis.clients().await, redis.blocked().await);
    let sending = Instant::now();
    let sends = (0..SENDERS).map(async |sender| {
        let mut statuses = Vec::new();
        for _ in 0..SENDS / SENDERS {
            statuses.push(confab.send("a:b", "a", &sender.to_string()).await.status);
        }
        statuses
    });
    let statuses = join_all(sends).await.concat();
    let refused = statuses.iter().filter(|status| **status != 200).count();
    let (sent, sending) = (statuses.len(), sending.elapsed());
    for number in 0..CHATS {
        confab.send_all(&chat(number), "x", ["hi"]).await;
    }
    let last = Instant::now();
    let streams = join_all(streams.into_iter().map(async |mut follower: Follower| {
        assert_eq!(follower.next().await.index(), 0);
        follower.connected
    }));
    let (polls, streams) = tokio::join!(join_all(polls), streams);
    let received = last.elapsed();
    println!(
        "{} polls and {} streams on {MAX_CLIENTS} connections: all wait after {waiting:?}, {connected} connections, {blocked} of \
         them of waiters, {} instances; then {sent} sends in {sending:?}, {refused} refused; all have their message {received:?} \
         after the last send",
        polls.len(),
        streams.len(),
        confab.instances(),
    );
    assert!(
        polls.iter().all(|received| matches!(received, Ok(true))),
        "a poll has no message"
    );
    assert!(streams.iter().all(|connected| *connected == 1), "a stream has ended");
    assert_eq!(refused, 0, "{}", confab.log());
    assert!(received < Duration::from_secs(5), "{received:?}");
}
