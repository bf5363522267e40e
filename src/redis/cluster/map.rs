//! The map of a Redis Cluster: which node has which slots.

use crate::config::Config;
use crate::redis::cluster::node::Node;
use crate::redis::cluster::redirect::Range;
use crate::redis::cluster::slot::Slot;
use std::ops::RangeInclusive;

/// What is known of a Cluster.
#[derive(Default)]
pub(in crate::redis) struct Map {
    /// Slots and their nodes. The first that fits is the newest.
    slots: Vec<(RangeInclusive<Slot>, Node)>,
    /// All nodes, replicas included.
    nodes: Vec<Node>,
    /// A node that did not answer since the map was made.
    suspect: Option<Node>,
}

impl Map {
    /// The node that has this slot, if it is known.
    pub(in crate::redis) fn owner(&self, slot: Slot) -> Option<Node> {
        let mut fitting = self.slots.iter().filter(|(slots, _)| slots.contains(&slot));
        fitting.next().map(|(_, node)| node.clone())
    }

    /// The nodes that can say what has become of the suspect, if there is one.
    pub(in crate::redis) fn others(&self) -> Option<Vec<Node>> {
        let suspect = self.suspect.as_ref()?;
        Some(self.nodes.iter().filter(|node| *node != suspect).cloned().collect())
    }

    /// Remembers that a node did not answer.
    pub(in crate::redis) fn suspect(&mut self, node: &Node) {
        self.suspect = Some(node.clone());
    }

    /// Remembers that a node has this slot.
    pub(in crate::redis) fn learn(&mut self, slot: Slot, node: Node) {
        if self.owner(slot).as_ref() != Some(&node) {
            self.slots.retain(|(slots, _)| *slots != (slot..=slot));
            self.slots.insert(0, (slot..=slot, node));
        }
    }

    /// Takes over what `answered` says of all slots.
    pub(in crate::redis) fn replace(&mut self, config: &Config, answered: &Node, ranges: Vec<Range>) {
        *self = Self::default();
        let mut replicas = Vec::new();
        for range in ranges {
            let primary = Node::new(config, answered, &range.primary);
            if !self.nodes.contains(&primary) {
                self.nodes.push(primary.clone());
            }
            replicas.extend(range.replicas);
            self.slots.push((range.first..=range.last, primary));
        }
        // Connections to the primaries are open already: they come first.
        let replicas = replicas.iter().map(|replica| Node::new(config, answered, replica));
        self.nodes.extend(replicas);
    }
}
