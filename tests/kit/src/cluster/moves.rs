//! Moves a slot from node to node, at once or step by step.

use super::Cluster;

impl Cluster {
    /// Begins to move a slot: its keys may be on either node until [`Cluster::assign`].
    pub async fn open(&self, slot: u16, from: usize, to: usize) {
        let (source, target) = (self.id(from).await, self.id(to).await);
        let slot = slot.to_string();
        let importing = ["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source];
        self.nodes[to].command::<()>(importing).await;
        let migrating = ["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target];
        self.nodes[from].command::<()>(migrating).await;
    }

    /// Moves up to `count` keys of an open slot, and returns how many there were.
    pub async fn migrate(&self, slot: u16, from: usize, to: usize, count: usize) -> usize {
        let (slot, count) = (slot.to_string(), count.to_string());
        let words = ["CLUSTER", "GETKEYSINSLOT", &slot, &count];
        let keys: Vec<String> = self.nodes[from].command(words).await;
        if !keys.is_empty() {
            let port = self.nodes[to].ports()[0].to_string();
            let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
            migrate.extend(keys.iter().map(String::as_str));
            self.nodes[from].command::<()>(migrate).await;
        }
        keys.len()
    }

    /// Assigns an open slot whose keys have been moved.
    pub async fn assign(&self, slot: u16, from: usize, to: usize) {
        let (target, slot) = (self.id(to).await, slot.to_string());
        for number in [to, from] {
            let assign = ["CLUSTER", "SETSLOT", &slot, "NODE", &target];
            self.nodes[number].command::<()>(assign).await;
        }
    }

    /// Moves a slot with its keys, a few at a time, as `redis-cli --cluster reshard` does.
    pub async fn move_slot(&self, slot: u16, from: usize, to: usize) {
        self.open(slot, from, to).await;
        while self.migrate(slot, from, to, 3).await > 0 {}
        self.assign(slot, from, to).await;
    }
}
