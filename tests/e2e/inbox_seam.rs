//! The boundary between an inbox's page and what comes: followers come and go while messages are sent, marks move and connections are
//! cut, and each one's view is that of the chat logs in the end.

use confab_kit::{Confab, Event, Follower, Proxy, Redis, seed};
use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const PEOPLE: usize = 50;
const SENDERS: usize = 25;
const SENDS: usize = 2_000;
const FOLLOWERS: usize = 30;

type View = BTreeMap<String, Value>;

fn name(person: usize) -> String {
    format!("p{person}")
}

fn put(view: &mut View, entry: &Value) -> bool {
    view.insert(entry["chat"].as_str().unwrap().to_owned(), entry.clone())
        .is_none()
}

/// Takes an event into the view, and returns how many chats came twice in it.
fn apply(view: &mut View, event: &Event) -> usize {
    let mut doubled = 0;
    match event.name.as_str() {
        "inbox" => {
            view.clear();
            for entry in event.data["chats"].as_array().unwrap() {
                doubled += usize::from(!put(view, entry));
            }
        }
        "chat" => _ = put(view, &event.data),
        "problem" => {}
        other => panic!("{other}"),
    }
    doubled
}

/// What the chat logs and the marks say: the truth of a person's inbox.
async fn truth(confab: &Confab, person: usize) -> View {
    let mut view = View::new();
    for entry in confab.inbox(&name(person)).await {
        let chat = entry["chat"].as_str().unwrap();
        let newest = confab
            .pull(json!({ "chat": chat, "reverse": true, "limit": 1 }))
            .await
            .ok();
        let newest = &newest["messages"][0];
        for field in ["text", "index", "send_time"] {
            assert_eq!(entry["last"][field], newest[field], "{chat}");
        }
        let unread = newest["index"].as_u64().unwrap() + 1 - entry["read"].as_u64().unwrap();
        assert_eq!(entry["unread"], unread, "{chat}");
        assert!(put(&mut view, &entry), "{chat} is there twice");
    }
    view
}

#[derive(Default)]
struct Tally {
    sessions: usize,
    events: usize,
    pages: usize,
    doubled: usize,
    missed: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_of_inboxes_that_come_and_go_see_what_the_logs_say() {
    let seed = seed();
    let redis = Redis::start();
    let proxy = Proxy::unreliable(&redis, seed);
    let behind_proxy = Confab::on(&proxy)
        .variable("redis_timeout_ms", 500)
        .variable("stream_heartbeat_s", 1)
        .start();
    let direct = Confab::on(&redis)
        .variable("stream_heartbeat_s", 1)
        .variable("redis_timeout_ms", 15_000)
        .start();
    let hosts = [Arc::new(direct), Arc::new(behind_proxy)];
    let done = Arc::new(AtomicUsize::new(0));

    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let (hosts, done) = (hosts.clone(), Arc::clone(&done));
        let mut random = Rng::with_seed(seed.wrapping_add(1000 + u64::try_from(sender).unwrap()));
        senders.spawn(async move {
            for number in 0..SENDS / SENDERS {
                let (one, other) = (random.usize(..PEOPLE), random.usize(..PEOPLE / 5));
                let chat = format!("{}:{}", name(one), name(other));
                let text = format!("{sender}/{number}");
                let confab = &hosts[number % hosts.len()];
                while confab.send_keyed(&chat, &name(one), &text, &text).await.status != 200 {}
                if random.u8(..4) == 0 {
                    let mark = json!({ "chat": chat, "name": name(other), "index": u64::MAX });
                    while confab.read(mark.clone()).await.status != 200 {}
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let mut followers = JoinSet::new();
    for follower in 0..FOLLOWERS {
        let random = Rng::with_seed(seed.wrapping_add(u64::try_from(follower).unwrap()));
        followers.spawn(follow(follower % PEOPLE, hosts.clone(), Arc::clone(&done), random));
    }
    let tallies = followers.join_all().await;
    senders.join_all().await;
    let sum = |figure: fn(&Tally) -> usize| tallies.iter().map(figure).sum::<usize>();
    let (missed, doubled) = (sum(|tally| tally.missed), sum(|tally| tally.doubled));
    println!(
        "inbox seam: {SENDS} sends to the chats of {PEOPLE} people, {FOLLOWERS} followers in {} sessions, {}; {} events, {} of them whole pages: {missed} missed, {doubled} doubled",
        sum(|tally| tally.sessions),
        proxy.faults(),
        sum(|tally| tally.events),
        sum(|tally| tally.pages),
    );
    assert_eq!((missed, doubled), (0, 0));
    assert!(sum(|tally| tally.sessions) > 2 * FOLLOWERS);
}

/// Follows a person's inbox through many streams until all is sent, and then until nothing more comes. Returns what was wrong.
async fn follow(person: usize, hosts: [Arc<Confab>; 2], done: Arc<AtomicUsize>, mut random: Rng) -> Tally {
    let mut tally = Tally::default();
    let mut view = View::new();
    let mut last_event_id: Option<String> = None;
    let query = format!("name={}&limit=100", name(person));
    while done.load(Ordering::Relaxed) < SENDS {
        tally.sessions += 1;
        if random.u8(..8) == 0 {
            // A client that forgets everything.
            last_event_id = None;
        }
        let confab = &hosts[random.usize(..hosts.len())];
        let mut follower = Follower::of_inbox(confab, &query, last_event_id.as_deref());
        for _ in 0..random.usize(1..40) {
            let next = tokio::time::timeout(Duration::from_secs(1), follower.next_in_this_stream());
            let Ok(Some(event)) = next.await else { break };
            tally.events += 1;
            tally.pages += usize::from(event.name == "inbox");
            tally.doubled += apply(&mut view, &event);
            if event.name == "problem" {
                break;
            }
            last_event_id = Some(event.id);
        }
    }
    // Only from here on, the stream must tell the rest of it: nothing is read whole.
    let expected = truth(&hosts[0], person).await;
    let mut follower = Follower::of_inbox(&hosts[0], &query, last_event_id.as_deref());
    while view != expected {
        let next = tokio::time::timeout(Duration::from_secs(5), follower.next_in_this_stream());
        let Ok(Some(event)) = next.await else { break };
        tally.events += 1;
        tally.doubled += apply(&mut view, &event);
    }
    tally.missed = expected
        .iter()
        .filter(|(chat, entry)| view.get(*chat) != Some(entry))
        .count();
    tally.doubled += view.len().saturating_sub(expected.len());
    tally
}
