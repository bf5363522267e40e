//! Where an instance begins in a Cluster: a node that the settings name may be away, and all nodes may have other addresses.

use confab_kit::{Builder, Cluster, Confab, Endpoint, Proxy, Traffic, until};

/// So many chats are in the slots of all nodes.
const CHATS: usize = 20;

/// A new confab that knows three nodes of the Cluster: whichever is away, two others are not.
fn with_seeds(cluster: &Cluster) -> Builder {
    let seed = |number| format!("redis://{}", Endpoint::host(cluster.node(number)));
    Confab::on_cluster(cluster)
        .variable("redis_seed_two", seed(1))
        .variable("redis_seed_three", seed(2))
}

async fn sends_to_all(confab: &Confab, when: &str) {
    for number in 0..CHATS {
        confab.send(&format!("e{number}:x"), "x", when).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_begins_at_another_node_if_one_is_killed() {
    let mut cluster = Cluster::start().await;
    for killed in 0..3 {
        cluster.node_mut(killed).kill();
        cluster.serves_without(killed).await;
        // Its instances know nothing yet.
        let confab = with_seeds(&cluster).start();
        sends_to_all(&confab, "killed").await;
        confab.get("/ready").await.ok();
        cluster.node_mut(killed).restart();
        cluster.healthy().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_begins_at_another_node_if_one_hangs() {
    let cluster = Cluster::start().await;
    for hung in 0..3 {
        cluster.node(hung).hang();
        cluster.serves_without(hung).await;
        let confab = with_seeds(&cluster).start();
        sends_to_all(&confab, "hung").await;
        confab.get("/ready").await.ok();
        cluster.node(hung).resume();
        cluster.healthy().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_goes_on_finds_a_cluster_whose_nodes_all_have_other_addresses() {
    let (mut old, new) = (Cluster::start().await, Cluster::start().await);
    let name = Proxy::start(&old, Traffic::Forward);
    // An instance that is asked all the time goes on.
    let confab = Confab::on(&name).limits(1000, 100_000);
    let confab = confab.variable("redis_nodes", Cluster::NODES).start();
    sends_to_all(&confab, "before").await;
    let instances = confab.instances();
    name.lead_to(&new);
    for number in 0..6 {
        old.node_mut(number).kill();
    }
    until("the instance finds the other addresses", async || {
        confab.send("e0:x", "x", "after").await.status == 200
    })
    .await;
    sends_to_all(&confab, "after").await;
    assert_eq!(confab.instances(), instances);
}
