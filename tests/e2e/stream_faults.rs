//! The boundary between history and live: followers come and go while messages are sent and connections are cut, and miss nothing.

use confab_kit::{Confab, Fault, Follower, Proxy, Redis, seed};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

const CHATS: usize = 4;
const SENDERS_PER_CHAT: usize = 5;
const SENDS: usize = 2_000;
const SENDS_PER_SENDER: usize = SENDS / CHATS / SENDERS_PER_CHAT;
const MESSAGES_PER_CHAT: usize = SENDS / CHATS;
const FOLLOWERS: usize = 50;

fn chat(number: usize) -> String {
    format!("chat{number}:x")
}

/// What a follower received, and what was wrong with it.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    sessions: usize,
    received: usize,
    missed: u64,
    doubled: u64,
    out_of_order: u64,
    /// Sessions that ended before the follower left.
    ended: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_that_come_and_go_receive_every_message_once_and_in_order() {
    let seed = seed();
    let redis = Redis::start();
    let proxy = Proxy::unreliable(&redis, seed);
    let behind_proxy = Confab::on(&proxy)
        .variable("redis_timeout_ms", 500)
        .variable("stream_heartbeat_s", 1)
        .start();
    let hosts = [Arc::new(Confab::start(&redis)), Arc::new(behind_proxy)];

    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for sender in 0..CHATS * SENDERS_PER_CHAT {
        let (hosts, acknowledged) = (hosts.clone(), Arc::clone(&acknowledged));
        senders.spawn(async move {
            for number in 0..SENDS_PER_SENDER {
                let text = format!("{sender}/{number}");
                let confab = &hosts[number % hosts.len()];
                while confab.send_keyed(&chat(sender % CHATS), "x", &text, &text).await.status != 200 {}
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let mut followers = JoinSet::new();
    for follower in 0..FOLLOWERS {
        let random = fastrand::Rng::with_seed(seed.wrapping_add(follower.try_into().unwrap()));
        followers.spawn(follow(chat(follower % CHATS), hosts.clone(), random));
    }
    let tallies = followers.join_all().await;
    senders.join_all().await;

    let sum = |figure: fn(&Tally) -> usize| tallies.iter().map(figure).sum::<usize>();
    let wrong = |figure: fn(&Tally) -> u64| tallies.iter().map(figure).sum::<u64>();
    let (missed, doubled) = (wrong(|tally| tally.missed), wrong(|tally| tally.doubled));
    let out_of_order = wrong(|tally| tally.out_of_order);
    println!(
        "stream faults: {} sends, {FOLLOWERS} followers in {} sessions, {} of them ended by a fault, {} between confab and Redis; {} messages received, {missed} missed, {doubled} doubled, {out_of_order} out of order",
        acknowledged.load(Ordering::Relaxed),
        sum(|tally| tally.sessions),
        sum(|tally| tally.ended),
        proxy.faults(),
        sum(|tally| tally.received),
    );
    assert_eq!((missed, doubled, out_of_order), (0, 0, 0));
    assert_eq!(sum(|tally| tally.received), FOLLOWERS * MESSAGES_PER_CHAT);
    assert!(sum(|tally| tally.sessions) > 4 * FOLLOWERS);
    assert!(proxy.faults().count(Fault::CutAfter) > 0);
}

/// Follows a chat to its last message, in sessions that end after a random number of messages, or when their stream ends.
async fn follow(chat: String, hosts: [Arc<Confab>; 2], mut random: fastrand::Rng) -> Tally {
    let mut tally = Tally::default();
    let mut last_event_id: Option<String> = None;
    let end = u64::try_from(MESSAGES_PER_CHAT).unwrap();
    let mut next = 0;
    while next < end {
        tally.sessions += 1;
        let confab = &hosts[random.usize(..hosts.len())];
        // At first the position is in the query, then in the last event id.
        let mut follower = Follower::start(confab, &format!("chat={chat}&cursor=0"), last_event_id.as_deref());
        for _ in 0..random.usize(1..60) {
            let event = match follower.next_in_this_stream().await {
                Some(event) if event.name == "message" => event,
                Some(event) => {
                    assert_eq!(event.name, "problem", "{event:?}");
                    tally.ended += 1;
                    break;
                }
                None => {
                    tally.ended += 1;
                    break;
                }
            };
            let index = event.index();
            tally.received += 1;
            tally.missed += index.saturating_sub(next);
            tally.doubled += u64::from(index < next);
            tally.out_of_order += u64::from(event.id.split('-').nth(1) != Some(&index.to_string()));
            next = index + 1;
            last_event_id = Some(event.id);
            if next == end {
                break;
            }
        }
    }
    tally
}
