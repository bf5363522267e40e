//! The seam between history and now: followers come and go while messages are sent, over wires that are cut, and miss nothing.

use crate::support::{Confab, Fault, Follower, Odds, Redis, Wire, seed};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const CHATS: usize = 4;
const SENDERS_OF_A_CHAT: usize = 5;
const SENDS: usize = 2_000;
const SENDS_OF_A_SENDER: usize = SENDS / CHATS / SENDERS_OF_A_CHAT;
const MESSAGES_OF_A_CHAT: usize = SENDS / CHATS;
const FOLLOWERS: usize = 50;
const ODDS: Odds = &[
    (Fault::CutBefore, 15),
    (Fault::CutMidway, 10),
    (Fault::CutAfter, 15),
    (Fault::Delay, 10),
];

fn chat(number: usize) -> String {
    format!("chat{number}:x")
}

/// What a follower was told wrongly, and in how many sessions.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    sessions: usize,
    told: usize,
    missed: u64,
    doubled: u64,
    out_of_order: u64,
    /// Sessions that ended before the follower left.
    ended: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_that_come_and_go_over_cut_wires_are_told_every_message_once_and_in_order() {
    let seed = seed();
    let redis = Redis::start();
    let wire = Wire::start(redis.host(), ODDS, Duration::from_millis(5), seed).await;
    let variables = [
        ("redis_host", wire.host()),
        ("redis_timeout_ms", "500"),
        ("stream_heartbeat_s", "1"),
    ];
    // Of one store, two ways to it.
    let ways = [
        Arc::new(Confab::start(&redis).await),
        Arc::new(Confab::with(&variables).await),
    ];

    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for sender in 0..CHATS * SENDERS_OF_A_CHAT {
        let (ways, acknowledged) = (ways.clone(), Arc::clone(&acknowledged));
        senders.spawn(async move {
            for number in 0..SENDS_OF_A_SENDER {
                let text = format!("{sender}/{number}");
                let confab = &ways[number % ways.len()];
                while confab.send_keyed(&chat(sender % CHATS), "x", &text, &text).await.status != 200 {}
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let mut followers = JoinSet::new();
    for follower in 0..FOLLOWERS {
        let random = fastrand::Rng::with_seed(seed.wrapping_add(follower.try_into().unwrap()));
        followers.spawn(follow(chat(follower % CHATS), ways.clone(), random));
    }
    let tallies = followers.join_all().await;
    senders.join_all().await;

    let sum = |figure: fn(&Tally) -> usize| tallies.iter().map(figure).sum::<usize>();
    let wrong = |figure: fn(&Tally) -> u64| tallies.iter().map(figure).sum::<u64>();
    let (missed, doubled) = (wrong(|tally| tally.missed), wrong(|tally| tally.doubled));
    let out_of_order = wrong(|tally| tally.out_of_order);
    println!(
        "seam: {} sends, {FOLLOWERS} followers in {} sessions, {} of them ended by a fault, {} on the wire to Redis; {} messages told, {missed} missed, {doubled} doubled, {out_of_order} out of order",
        acknowledged.load(Ordering::Relaxed),
        sum(|tally| tally.sessions),
        sum(|tally| tally.ended),
        wire.faults(),
        sum(|tally| tally.told),
    );
    assert_eq!((missed, doubled, out_of_order), (0, 0, 0));
    assert_eq!(sum(|tally| tally.told), FOLLOWERS * MESSAGES_OF_A_CHAT);
    assert!(sum(|tally| tally.sessions) > 4 * FOLLOWERS);
    assert!(wire.faults().count(Fault::CutAfter) > 0);
}

/// Follows a chat to its last message, in sessions that end after a random number of messages, or where their stream does.
async fn follow(chat: String, ways: [Arc<Confab>; 2], mut random: fastrand::Rng) -> Tally {
    let mut tally = Tally::default();
    let mut last_event_id: Option<String> = None;
    let end = u64::try_from(MESSAGES_OF_A_CHAT).unwrap();
    let mut next = 0;
    while next < end {
        tally.sessions += 1;
        let confab = &ways[random.usize(..ways.len())];
        // At the start, the query tells the place; then, the last event does.
        let mut follower = Follower::start(confab, &format!("chat={chat}&cursor=0"), last_event_id.as_deref());
        for _ in 0..random.usize(1..60) {
            let told = match follower.next_in_this_stream().await {
                Some(told) if told.name == "message" => told,
                Some(told) => {
                    assert_eq!(told.name, "problem", "{told:?}");
                    tally.ended += 1;
                    break;
                }
                None => {
                    tally.ended += 1;
                    break;
                }
            };
            let index = told.index();
            tally.told += 1;
            tally.missed += index.saturating_sub(next);
            tally.doubled += u64::from(index < next);
            tally.out_of_order += u64::from(!told.id.ends_with(&format!("-{index}")));
            next = index + 1;
            last_event_id = Some(told.id);
            if next == end {
                break;
            }
        }
    }
    tally
}
