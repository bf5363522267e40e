//! A Redis Cluster of one test's own: three primaries with a replica each, on loopback, gone when the test ends.

mod moves;

use crate::{Endpoint, Info, Redis, until};
use std::ops::RangeInclusive;

/// How many slots a Cluster has.
const SLOTS: usize = 16_384;

const PRIMARIES: usize = 3;

/// How long a node may be silent before the others take it for failed, in milliseconds: long enough for a busy machine.
const NODE_TIMEOUT_MS: &str = "1500";

/// A Redis Cluster. Nodes 0 to 2 begin as primaries, and node `n + 3` as the replica of node `n`.
pub struct Cluster {
    nodes: Vec<Redis>,
}

/// Where a client begins: its first node.
impl Endpoint for Cluster {
    fn host(&self) -> String {
        self.nodes[0].host()
    }
}

impl Cluster {
    /// The variable `redis_nodes` that allows connections to every node.
    pub const NODES: &str = "redis://127.0.0.1:*";

    /// Starts six nodes that write nothing to disk, and waits until all of them serve.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts six nodes with these options.
    pub async fn with(options: &[&str]) -> Self {
        let own = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            NODE_TIMEOUT_MS,
            "--repl-ping-replica-period",
            "1",
            "--repl-diskless-sync-delay",
            "0",
        ];
        let options = [&own, options].concat();
        let nodes = (0..2 * PRIMARIES).map(|_| Redis::with(&options)).collect();
        let cluster = Self { nodes };
        cluster.join().await;
        cluster
    }

    /// Makes the nodes one Cluster.
    async fn join(&self) {
        for (number, node) in self.nodes.iter().enumerate() {
            let epoch = (number + 1).to_string();
            node.command::<()>(["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
            if number < PRIMARIES {
                let slots = share(number);
                let (first, last) = (slots.start().to_string(), slots.end().to_string());
                node.command::<()>(["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await;
            }
            if number > 0 {
                let [port, bus] = node.ports().map(|port| port.to_string());
                let meet = ["CLUSTER", "MEET", "127.0.0.1", &port, &bus];
                self.nodes[0].command::<()>(meet).await;
            }
        }
        for node in &self.nodes {
            until("every node knows the others", async || {
                info(node).await.get("cluster_known_nodes") == Some("6")
            })
            .await;
        }
        for number in 0..PRIMARIES {
            let primary = self.id(number).await;
            let replica = &self.nodes[number + PRIMARIES];
            let replicate = ["CLUSTER", "REPLICATE", &primary];
            until("a node is a replica", async || {
                replica.try_command::<()>(replicate).await.is_ok()
            })
            .await;
        }
        self.healthy().await;
    }

    /// Waits until every node serves and every primary has a replica that has its data.
    pub async fn healthy(&self) {
        for node in &self.nodes {
            until("every node serves, with its replicas", async || {
                let replication = node.info("replication").await;
                let in_step = if replication.get("role") == Some("master") {
                    let replica = replication.get("slave0");
                    replica.is_some_and(|replica| replica.contains("state=online")) || !self.owns_slots(node).await
                } else {
                    replication.get("master_link_status") == Some("up")
                };
                in_step && info(node).await.get("cluster_state") == Some("ok")
            })
            .await;
        }
    }

    /// Waits until all nodes but `dead` serve every slot.
    pub async fn serves_without(&self, dead: usize) {
        for (number, node) in self.nodes.iter().enumerate() {
            if number != dead {
                until("the Cluster serves without a node", async || {
                    let owners = self.owners(node).await;
                    info(node).await.get("cluster_state") == Some("ok") && !owners.contains(&dead)
                })
                .await;
            }
        }
    }

    /// A node.
    pub fn node(&self, number: usize) -> &Redis {
        &self.nodes[number]
    }

    /// A node, to kill and to restart it.
    pub fn node_mut(&mut self, number: usize) -> &mut Redis {
        &mut self.nodes[number]
    }

    /// The slot of a key, as Redis computes it.
    pub async fn slot(&self, key: &str) -> u16 {
        self.nodes[PRIMARIES].command(["CLUSTER", "KEYSLOT", key]).await
    }

    /// The number of the node that has this slot, as `asked` knows it.
    pub async fn owner(&self, asked: usize, slot: u16) -> usize {
        let ranges = slots(&self.nodes[asked]).await;
        let port = ranges.iter().find(|(range, _)| range.contains(&slot)).unwrap().1;
        self.numbered(port)
    }

    async fn id(&self, number: usize) -> String {
        self.nodes[number].command(["CLUSTER", "MYID"]).await
    }

    /// Whether the node serves slots.
    async fn owns_slots(&self, node: &Redis) -> bool {
        slots(node).await.iter().any(|(_, port)| *port == node.ports()[0])
    }

    /// The numbers of the nodes that have slots.
    async fn owners(&self, asked: &Redis) -> Vec<usize> {
        let ranges = slots(asked).await;
        ranges.iter().map(|(_, port)| self.numbered(*port)).collect()
    }

    fn numbered(&self, port: u16) -> usize {
        self.nodes.iter().position(|node| node.ports()[0] == port).unwrap()
    }
}

/// The slots that a primary begins with.
fn share(number: usize) -> RangeInclusive<usize> {
    number * SLOTS / PRIMARIES..=(number + 1) * SLOTS / PRIMARIES - 1
}

async fn info(node: &Redis) -> Info {
    Info::parse(&node.command::<String>(["CLUSTER", "INFO"]).await)
}

/// The ranges of slots and the ports of their primaries, as a node knows them.
async fn slots(node: &Redis) -> Vec<(RangeInclusive<u16>, u16)> {
    let ranges: Vec<Vec<redis::Value>> = node.command(["CLUSTER", "SLOTS"]).await;
    let number = |value: &redis::Value| redis::from_redis_value::<u16>(value).unwrap();
    let range = |range: Vec<redis::Value>| {
        let primary: Vec<redis::Value> = redis::from_redis_value(&range[2]).unwrap();
        (number(&range[0])..=number(&range[1]), number(&primary[1]))
    };
    ranges.into_iter().map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error code of a command that a node refuses.
    async fn refusal(node: &Redis, words: &[&str]) -> String {
        let error = node.try_command::<redis::Value>(words).await.unwrap_err();
        error.code().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_slot_moves_with_its_keys_and_is_asked_for_on_the_way() {
        let cluster = Cluster::start().await;
        let slot = cluster.slot("{tag}").await;
        let from = cluster.owner(0, slot).await;
        let to = (from + 1) % 3;
        let (source, target) = (cluster.node(from), cluster.node(to));
        for key in ["{tag}1", "{tag}2", "{tag}3", "{tag}4"] {
            source.command::<()>(["SET", key, "value"]).await;
        }
        assert_eq!(refusal(target, &["GET", "{tag}1"]).await, "MOVED");
        cluster.open(slot, from, to).await;
        assert_eq!(cluster.migrate(slot, from, to, 2).await, 2);
        assert_eq!(refusal(source, &["GET", "{tag}new"]).await, "ASK");
        cluster.move_slot(slot, from, to).await;
        assert_eq!(refusal(source, &["GET", "{tag}1"]).await, "MOVED");
        for key in ["{tag}1", "{tag}4"] {
            assert_eq!(target.command::<String>(["GET", key]).await, "value");
        }
        assert_eq!(cluster.owner(to, slot).await, to);
    }

    #[tokio::test]
    async fn a_replica_takes_the_place_of_a_primary_that_is_killed() {
        let mut cluster = Cluster::start().await;
        let slot = cluster.slot("key").await;
        let primary = cluster.owner(0, slot).await;
        let mut connection = cluster.node(primary).connect().await;
        let () = redis::pipe()
            .set("key", "value")
            .cmd("WAIT")
            .arg(1)
            .arg(0)
            .ignore()
            .exec_async(&mut connection)
            .await
            .unwrap();
        cluster.node_mut(primary).kill();
        cluster.serves_without(primary).await;
        let replica = primary + PRIMARIES;
        assert_eq!(cluster.owner((primary + 1) % 3, slot).await, replica);
        assert_eq!(cluster.node(replica).command::<String>(["GET", "key"]).await, "value");
        cluster.node_mut(primary).restart();
        cluster.healthy().await;
        assert_eq!(refusal(cluster.node(primary), &["GET", "key"]).await, "MOVED");
    }
}
