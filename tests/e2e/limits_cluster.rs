//! Limits in a Redis Cluster, where a person and the chats are on different nodes.

use crate::limits::{limit, refused};
use confab_kit::token::{SECRET, token};
use confab_kit::{Builder, Cluster, Confab, Fault, Proxy, Redis, RefusingRedis, TestResponse, Traffic, log_key, seed};
use futures::future::join_all;
use reqwest::Method;
use serde_json::Value;

const PRIMARIES: usize = 3;

fn limited(builder: Builder, limit: u64) -> Builder {
    let builder = builder.variable("auth", "required");
    let builder = builder.variable("auth_secret", SECRET).variable("stream_limit", 2);
    builder.variable("send_limit", limit).variable("send_window_s", 86_400)
}

/// A chat of alice's.
fn chat(number: usize) -> String {
    format!("{number}:alice")
}

/// How many messages all nodes have.
async fn stored(cluster: &Cluster) -> usize {
    let mut stored = 0;
    for number in 0..PRIMARIES {
        let node = cluster.node(number);
        for log in node.keys("*:log").await {
            stored += node.command::<usize>(["XLEN", &log]).await;
        }
    }
    stored
}

/// How many more messages an answer says that alice may send.
fn left(answer: &TestResponse) -> usize {
    let [_, now] = limit(answer);
    let (left, _) = now.strip_prefix("\"sends\";r=").unwrap().split_once(";t=").unwrap();
    left.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_sends_at_once_to_all_nodes_exactly_the_quota_is_stored() {
    let cluster = Cluster::start().await;
    let hosts = [(); 2].map(|()| limited(Confab::on_cluster(&cluster), 20).start());
    let alice = token("alice");
    let sends = (0..50).map(|number| {
        let (confab, alice, chat) = (&hosts[number % 2], &alice, chat(number % 12));
        async move { confab.send_as(alice, &chat, "hi", None).await }
    });
    let answers = join_all(sends).await;
    let (sent, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    let mut rests: Vec<_> = sent.iter().map(|answer| left(answer)).collect();
    rests.sort_unstable();
    assert_eq!(rests, (0..20).collect::<Vec<_>>());
    for answer in &others {
        refused(answer);
    }
    assert_eq!((others.len(), stored(&cluster).await), (30, 20));
    assert_eq!(hosts[0].log(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_and_a_mistake_count_no_longer_and_a_refused_key_is_unused() {
    let cluster = Cluster::start().await;
    let confab = limited(Confab::on_cluster(&cluster), 3).start();
    let alice = token("alice");
    let send = async |number, text, key| confab.send_as(&alice, &chat(number), text, key).await;
    for number in 0..2 {
        send(number, "hi", Some("key")).await.ok();
        // While there is room, it is counted first and then no longer.
        let replayed = send(number, "hi", Some("key")).await;
        assert_eq!(
            (replayed.header("idempotency-replayed"), left(&replayed)),
            ("true", 2 - number)
        );
        assert_eq!(send(number, "ho", Some("key")).await.status, 422);
    }
    let last = send(2, "hi", Some("key")).await;
    assert_eq!(left(&last), 0);
    for number in 0..3 {
        let replayed = send(number, "hi", Some("key")).await;
        assert_eq!((replayed.header("idempotency-replayed"), left(&replayed)), ("true", 0));
        assert_eq!(send(number, "ho", Some("key")).await.status, 422);
        refused(&send(number, "hi", Some("other")).await);
    }
    assert_eq!(stored(&cluster).await, 3);
    for number in 0..PRIMARIES {
        for key in cluster.node(number).keys("*:charges").await {
            cluster.node(number).delete(&key).await;
        }
    }
    let stored = send(0, "he", Some("other")).await;
    assert_eq!(stored.header("idempotency-replayed"), "");
    assert_eq!(stored.ok()["index"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_copies_of_one_send_count_once() {
    let cluster = Cluster::start().await;
    let hosts = [(); 2].map(|()| limited(Confab::on_cluster(&cluster), 200).start());
    let alice = token("alice");
    let copies = (0..80).map(|number| hosts[number % 2].send_as(&alice, "0:alice", "hi", Some("key")));
    let answers = join_all(copies).await;
    let firsts = answers
        .iter()
        .filter(|answer| answer.header("idempotency-replayed").is_empty());
    assert_eq!((firsts.count(), stored(&cluster).await), (1, 1));
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(left(&hosts[0].send_as(&alice, "0:alice", "hi", None).await), 198);
}

#[tokio::test]
async fn a_message_counts_once_however_often_confab_tries() {
    let (redis, seed) = (Redis::start(), seed());
    let refusing = RefusingRedis::start(&redis);
    let proxy = Proxy::start(&refusing, Traffic::Forward);
    let confab = limited(Confab::on(&proxy), 1000).start();
    let alice = token("alice");
    // From then on, the instance takes the one Redis for a Cluster.
    refusing.answer_times(
        1,
        &["EVALSHA"],
        "-CROSSSLOT Keys in request don't hash to the same slot",
    );
    confab.send_as(&alice, "0:alice", "hi", None).await.ok();
    // In three of ten cases, Redis runs the command and its reply is lost.
    proxy.set(Traffic::Random(&[(Fault::CutAfter, 300)], seed));
    let (mut failed, mut not_stored) = (0, 0);
    for _ in 0..60 {
        let answer = confab.send_as(&alice, "0:alice", "hi", None).await;
        failed += usize::from(answer.status != 200);
        not_stored += usize::from(answer.json()["stored"] == false);
    }
    proxy.set(Traffic::Forward);
    let last = confab.send_as(&alice, "0:alice", "hi", None).await;
    let (stored, counted) = (redis.command(["XLEN", &log_key("0:alice")]).await, 1000 - left(&last));
    println!(
        "{}: {failed} of 60 sends failed, {stored} stored, {counted} counted",
        proxy.faults()
    );
    assert_eq!((confab.instances(), redis.keys("*:rate").await.len()), (1, 0));
    // What failed before it was stored may count, never the other way round.
    assert!(
        (stored..=stored + not_stored).contains(&counted),
        "{not_stored} not stored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_that_its_node_refuses_counts_no_longer() {
    let cluster = Cluster::start().await;
    let confab = limited(Confab::on_cluster(&cluster), 5).start();
    let alice = token("alice");
    confab.send_as(&alice, &chat(0), "hi", None).await.ok();
    // After the last id that there is, Redis gives none.
    let log = log_key(&chat(1));
    let node = cluster.owner(0, cluster.slot(&log).await).await;
    let last = format!("1-{}", u64::MAX);
    cluster
        .node(node)
        .command::<()>(["XADD", &log, &last, "1", "alice:hi"])
        .await;
    for _ in 0..9 {
        let answer = confab.send_as(&alice, &chat(1), "hi", None).await;
        assert_eq!(answer.problem(), (500, Value::Null));
    }
    assert_eq!(left(&confab.send_as(&alice, &chat(0), "hi", None).await), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_s_streams_are_counted_on_the_person_s_node() {
    let cluster = Cluster::start().await;
    let confab = limited(Confab::on_cluster(&cluster), 5).start();
    for name in ["alice", "bob", "carol", "dave"] {
        let token = token(name);
        let open = async |number: usize| {
            let path = format!("/api/stream?chat={name}:{number}");
            let request = confab.build(Method::GET, &path).bearer_auth(&token);
            request.send().await.unwrap()
        };
        let answers = [open(0).await, open(1).await, open(2).await];
        let statuses = answers.each_ref().map(|answer| answer.status().as_u16());
        assert_eq!(statuses, [200, 200, 429], "{name}");
    }
    assert_eq!(confab.log(), "");
}
