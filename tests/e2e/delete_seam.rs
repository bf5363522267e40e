//! Followers come and go while messages are sent and deleted: each ends with what the chat has, is told of every deletion once, and never sees
//! again what was deleted.

use crate::delete::{delete, service};
use confab_kit::token::SECRET;
use confab_kit::{Cluster, Confab, Follower, Proxy, Redis, log_key, seed};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;

const CHAT: &str = "a:b";
const SENDERS: u64 = 5;
const SENDS: u64 = 2_000;
const DELETIONS: u64 = 500;
const FOLLOWERS: u64 = 30;
const PLACES: u64 = SENDS + DELETIONS;

/// A confab that reads and sends for anybody, and one that deletes.
struct Hosts {
    open: Vec<Confab>,
    closed: Confab,
}

/// Each message that is sent is deleted by a chance of one in four, at once or later, until all are sent and deleted.
async fn send_and_delete(hosts: Arc<Hosts>, sender: u64, mut random: fastrand::Rng) {
    let mut left = DELETIONS / SENDERS;
    let mut doomed = Vec::new();
    let sends = SENDS / SENDERS;
    for number in 0..sends {
        let text = format!("{sender}/{number}");
        let confab = &hosts.open[random.usize(..hosts.open.len())];
        let message = loop {
            let answer = confab.send_keyed(CHAT, "a", &text, &text).await;
            if answer.status == 200 {
                break answer.json();
            }
            assert_eq!(answer.status, 503);
        };
        doomed.push(message);
        while left > 0 && (random.u64(..4) == 0 || sends - number <= left) {
            let message = doomed.swap_remove(random.usize(..doomed.len()));
            // Said again until it is answered: once or twice makes no difference.
            loop {
                let page = hosts.open[0].pull(json!({ "chat": CHAT, "limit": 1 })).await;
                if page.status == 503 {
                    continue;
                }
                let epoch = page.ok()["epoch"].clone();
                match delete(&hosts.closed, &service(), CHAT, &message, &epoch).await.status {
                    200 => break,
                    status => assert_eq!(status, 503),
                }
            }
            left -= 1;
            if doomed.is_empty() {
                break;
            }
        }
    }
    assert_eq!(left, 0);
}

/// Follows the chat to its last place, in many sessions. Returns its copy, where the log began, and how often it was told wrongly.
async fn follow(hosts: Arc<Hosts>, mut random: fastrand::Rng) -> (BTreeMap<u64, Value>, u64, [usize; 4]) {
    let (mut copy, mut deleted) = (BTreeMap::new(), BTreeSet::new());
    let (mut id, mut next, mut begins) = (None::<String>, 0, 0);
    let [mut missed, mut resurrected, mut doubled, mut sessions] = [0; 4];
    while next < PLACES {
        sessions += 1;
        let confab = &hosts.open[random.usize(..hosts.open.len())];
        let mut follower = Follower::start(confab, &format!("chat={CHAT}&cursor=0"), id.as_deref());
        for _ in 0..random.usize(1..200) {
            let Some(event) = follower.next_in_this_stream().await else {
                break;
            };
            let place = || event.id.split('-').nth(1).unwrap().parse::<u64>().unwrap();
            match event.name.as_str() {
                "problem" => break,
                "message" => {
                    let index = event.index();
                    resurrected += usize::from(deleted.contains(&index));
                    doubled += usize::from(index < next);
                    copy.insert(index, event.data["text"].clone());
                    next = index + 1;
                }
                "deleted" => {
                    let index = event.data["index"].as_u64().unwrap();
                    doubled += usize::from(!deleted.insert(index));
                    copy.remove(&index);
                    next = place() + 1;
                }
                // If the first messages are deleted, the log begins later: all below is gone.
                "gap" => {
                    let first = event.data["first_index"].as_u64().unwrap();
                    copy.retain(|index, _| *index >= first);
                    begins = begins.max(first);
                    next = first;
                }
                _ => missed += 1,
            }
            id = Some(event.id);
            if next >= PLACES {
                break;
            }
        }
    }
    missed += usize::try_from(DELETIONS).unwrap() - deleted.len();
    (copy, begins, [missed, resurrected, doubled, sessions])
}

async fn seam(hosts: Hosts, meanwhile: impl AsyncFn(&AtomicBool)) {
    let seed = seed();
    let hosts = Arc::new(hosts);
    let random = |number: u64| fastrand::Rng::with_seed(seed.wrapping_add(number));
    let (mut senders, mut followers) = (JoinSet::new(), JoinSet::new());
    for sender in 0..SENDERS {
        senders.spawn(send_and_delete(Arc::clone(&hosts), sender, random(sender)));
    }
    for follower in 0..FOLLOWERS {
        followers.spawn(follow(Arc::clone(&hosts), random(100 + follower)));
    }
    let over = AtomicBool::new(false);
    let work = async {
        senders.join_all().await;
        over.store(true, Ordering::Relaxed);
        followers.join_all().await
    };
    let (copies, ()) = tokio::join!(work, meanwhile(&over));
    let left = hosts.open[0].walk(json!({ "chat": CHAT, "limit": 300 })).await;
    let left: BTreeMap<_, _> = left
        .iter()
        .map(|message| (message["index"].as_u64().unwrap(), message["text"].clone()))
        .collect();
    assert_eq!(u64::try_from(left.len()).unwrap(), SENDS - DELETIONS);
    let mut sum = [0; 4];
    for (copy, begins, figures) in &copies {
        assert!(*copy == left, "a copy differs: {figures:?}");
        // A gap is told for nothing but what is gone at the log's beginning.
        assert!(left.keys().all(|index| index >= begins), "{begins}");
        for (sum, figure) in sum.iter_mut().zip(figures) {
            *sum += figure;
        }
    }
    let [missed, resurrected, doubled, sessions] = sum;
    println!(
        "deletion seam: {SENDS} sent, {DELETIONS} deleted, {FOLLOWERS} followers in {sessions} sessions; {missed} missed or not told, {resurrected} resurrected, {doubled} doubled"
    );
    assert_eq!((missed, resurrected, doubled), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_that_come_and_go_end_with_what_the_chat_has() {
    let redis = Redis::start();
    let proxy = Proxy::unreliable(&redis, seed());
    let closed = Confab::on(&redis).variable("auth", "required");
    let behind_proxy = Confab::on(&proxy).variable("redis_timeout_ms", 500);
    let hosts = Hosts {
        open: vec![
            Confab::start(&redis),
            behind_proxy.variable("stream_heartbeat_s", 1).start(),
        ],
        closed: closed.variable("auth_secret", SECRET).start(),
    };
    seam(hosts, async |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_holds_while_the_slot_moves() {
    let cluster = Cluster::start().await;
    let closed = Confab::on_cluster(&cluster).variable("auth", "required");
    let hosts = Hosts {
        open: vec![Confab::on_cluster(&cluster).variable("stream_heartbeat_s", 1).start()],
        closed: closed.variable("auth_secret", SECRET).start(),
    };
    let slot = cluster.slot(&log_key(CHAT)).await;
    let home = cluster.owner(0, slot).await;
    let away = (home + 1) % 3;
    seam(hosts, async |over| {
        let (mut from, mut to) = (home, away);
        while !over.load(Ordering::Relaxed) {
            cluster.move_slot(slot, from, to).await;
            (from, to) = (to, from);
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    })
    .await;
}
