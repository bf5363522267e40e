//! A Redis Cluster: every node serves its chats, and an instance learns once where they are.

use crate::all_or_nothing::{commands, rules};
use confab_kit::token::{SECRET, token};
use confab_kit::{Cluster, Confab, Follower, Redis, RefusingRedis, TestResponse, log_key, until};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

const PRIMARIES: usize = 3;
const CHATS: usize = 60;

/// A chat whose tag in Redis keys has percent-encoded braces.
fn chat(number: usize) -> String {
    format!("{{ö}}{number}:x")
}

/// How often the primaries have redirected, were asked for the map, and were connected to.
async fn figures(cluster: &Cluster) -> [u64; 3] {
    let mut figures = [0; 3];
    for number in 0..PRIMARIES {
        let node = cluster.node(number);
        let errors = node.info("errorstats").await;
        let moved = errors
            .get("errorstat_MOVED")
            .and_then(|count| count.strip_prefix("count="));
        figures[0] += moved.map_or(0, |count| count.parse::<u64>().unwrap());
        let commands = node.info("commandstats").await;
        let maps = commands.calls().find(|(name, _)| *name == "cluster|slots");
        figures[1] += maps.map_or(0, |(_, calls)| calls);
        figures[2] += node.info("stats").await.number("total_connections_received");
    }
    figures
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_serves_its_chats_and_an_instance_is_redirected_once() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    let before = figures(&cluster).await;
    for number in 0..CHATS {
        let chat = chat(number);
        confab.send(&chat, "x", "hi").await.ok();
        confab.send_keyed(&chat, "x", "keyed", "key").await.ok();
        assert_eq!(confab.send_keyed(&chat, "x", "keyed", "key").await.ok()["index"], 1);
        assert_eq!(confab.texts(json!({ "chat": chat })).await, ["hi", "keyed"]);
    }
    let after = figures(&cluster).await;
    let [moved, maps, connections] = [0, 1, 2].map(|figure| after[figure] - before[figure]);
    let instances = u64::try_from(confab.instances()).unwrap();
    // Each look at the figures takes three connections a node.
    let connections = connections - 3 * 3;
    println!(
        "{} requests to {CHATS} chats of a Cluster with {PRIMARIES} primaries, in {instances} instances: {moved} redirects, {maps} maps, {connections} connections",
        4 * CHATS
    );
    // Any slot that is not what Redis computes would be a redirect.
    assert!(moved <= instances && maps == moved, "{moved} {maps}");
    assert!(connections <= 3 * instances, "{connections}");
    for number in 0..PRIMARIES {
        let logs = cluster.node(number).keys("*:log").await;
        assert!(!logs.is_empty(), "node {number}");
        for log in &logs {
            let slot = cluster.slot(log).await;
            assert_eq!(cluster.owner(number, slot).await, number, "{log}");
        }
    }
    assert_eq!(confab.log(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_and_waiting_pulls_wait_on_the_node_of_their_chat() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).start();
    let chats: Vec<_> = (0..12).map(chat).collect();
    let follow = async |chat: &String| Follower::start(&confab, &format!("chat={chat}"), None).opened().await;
    let mut followers = join_all(chats.iter().map(follow)).await;
    let pulls = chats
        .iter()
        .map(|chat| (&confab, format!("/api/pull?chat={chat}&wait=20")))
        .map(|(confab, path)| async move { confab.get(&path).await });
    let sends = async {
        let all = async || {
            let mut blocked = [0; PRIMARIES];
            for (number, blocked) in blocked.iter_mut().enumerate() {
                *blocked = cluster.node(number).blocked().await;
            }
            blocked.iter().sum::<usize>() == 2 * chats.len() && blocked.iter().all(|blocked| *blocked > 0)
        };
        until("all wait, on all nodes", all).await;
        for chat in &chats {
            confab.send(chat, "x", "hi").await.ok();
        }
    };
    let (pulled, ()) = tokio::join!(join_all(pulls), sends);
    for page in pulled {
        assert_eq!(page.ok()["messages"][0]["text"], "hi");
    }
    for follower in &mut followers {
        assert_eq!(follower.next().await.index(), 0);
    }
}

#[tokio::test]
async fn identity_holds_on_every_node() {
    let cluster = Cluster::start().await;
    let confab = Confab::on_cluster(&cluster).variable("auth", "required");
    let confab = confab.variable("auth_secret", SECRET).start();
    let ask = async |method: Method, path: &str, token: Option<String>, body: String| {
        let request = confab.build(method, path).body(body);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        TestResponse::to(request).await
    };
    for number in 0..CHATS {
        let (chat, member) = (chat(number), format!("{{ö}}{number}"));
        let body = confab.body(&chat, &member, "hi");
        let send = async |token| ask(Method::POST, "/api/send", token, body.clone()).await;
        let pull = async |token| ask(Method::GET, &format!("/api/pull?chat={chat}"), token, String::new()).await;
        for (token, status) in [(None, 401), (Some(token("y")), 403), (Some(token(&member)), 200)] {
            assert_eq!(send(token.clone()).await.status, status, "{chat}");
            assert_eq!(pull(token).await.status, status, "{chat}");
        }
        let page = pull(Some(token("x"))).await.ok();
        assert_eq!(page["messages"].as_array().unwrap().len(), 1);
        let inbox = ask(Method::GET, "/api/inbox", Some(token(&member)), String::new()).await;
        assert_eq!(inbox.ok()["chats"][0]["last"]["text"], "hi");
    }
    for number in 0..PRIMARIES {
        assert!(!cluster.node(number).keys("*:log").await.is_empty(), "node {number}");
    }
}

/// Shows that a send is a 503 that says that it stores nothing. If its time ends in the middle of a try, it cannot tell: another one can.
pub(crate) async fn is_refused_for_now(send: impl AsyncFn() -> TestResponse) {
    let mut stored = Value::Null;
    for _ in 0..5 {
        let answer = send().await;
        assert_eq!(
            (answer.problem(), answer.header("retry-after")),
            ((503, Value::Null), "1")
        );
        stored = answer.json()["stored"].clone();
        if stored != Value::Null {
            break;
        }
    }
    assert_eq!(stored, json!(false));
}

#[tokio::test]
async fn a_cluster_that_changes_for_too_long_is_a_503_that_stores_nothing() {
    let redis = Redis::start();
    for (line, code) in [
        ("-CLUSTERDOWN Hash slot not served", "CLUSTERDOWN"),
        ("-TRYAGAIN Multiple keys request during rehashing of slot", "TRYAGAIN"),
    ] {
        let refusing = RefusingRedis::start(&redis);
        let confab = Confab::on(&refusing).variable("redis_timeout_ms", 500).start();
        refusing.answer_times(3, &["EVALSHA"], line);
        confab.send("a:b", "a", "before").await.ok();
        assert_eq!(confab.log(), "");
        refusing.answer(&["EVALSHA"], line);
        is_refused_for_now(async || confab.send("a:b", "a", "hi").await).await;
        confab.logged(&format!("Redis refused: {code}, ")).await;
        assert_eq!(refusing.connections(), 1);
        refusing.pass();
        assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["before"]);
        redis.empty().await;
    }
}

#[tokio::test]
async fn a_node_that_is_not_allowed_is_named_in_the_server_log_with_the_variable() {
    let cluster = Cluster::start().await;
    let confab = Confab::start(&cluster);
    let answers = (0..CHATS).map(|number| {
        let (chat, confab) = (chat(number), &confab);
        async move { confab.pull(json!({ "chat": chat })).await.status }
    });
    let answers = join_all(answers).await;
    assert!(answers.contains(&200) && answers.contains(&500), "{answers:?}");
    confab
        .logged("the variable redis_nodes does not allow 127.0.0.1:")
        .await;
}

#[tokio::test]
async fn a_user_that_may_run_four_commands_more_needs_no_more() {
    let cluster = Cluster::start().await;
    // On every node; `wait` with `redis_replicas` alone.
    let own = ["cluster|slots", "asking", "cluster|info", "wait"];
    let rules = rules(&[commands(), own.map(str::to_owned).to_vec()].concat());
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    let mut credentials = String::new();
    for number in 0..2 * PRIMARIES {
        credentials = cluster.node(number).user("confab", &rules).await;
    }
    let confab = Confab::on_cluster(&cluster)
        .variable("redis_credentials", credentials)
        .variable("redis_replicas", 1)
        .start();
    for number in 0..10 {
        confab.send(&chat(number), "x", "hi").await.ok();
        Follower::start(&confab, &format!("chat={}", chat(number)), None)
            .opened()
            .await;
    }
    let slot = cluster.slot(&log_key("a:b")).await;
    let from = cluster.owner(0, slot).await;
    let to = (from + 1) % PRIMARIES;
    confab.send("a:b", "a", "hi").await.ok();
    cluster.open(slot, from, to).await;
    while cluster.migrate(slot, from, to, 10).await > 0 {}
    assert_eq!(confab.texts(json!({ "chat": "a:b" })).await, ["hi"]);
    confab.get("/ready").await.ok();
    let [_, maps, _] = figures(&cluster).await;
    assert!(maps > 0);
    assert_eq!(confab.log(), "");
}
