//! A redis-server of one test's own, gone when the test ends; or one that runs already.

mod append_only;
mod clock;
mod info;
mod monitor;
mod server;

pub use clock::Clock;
pub use info::Info;
pub use monitor::Monitor;

use crate::{Endpoint, until};
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, FromRedisValue, RedisResult, ToRedisArgs};
use rustix::process::Signal;
use server::Server;
use std::fmt::Debug;

/// A Redis.
pub struct Redis {
    client: Client,
    /// `None` if it was running already.
    server: Option<Server>,
}

/// Where it listens.
impl Endpoint for Redis {
    fn host(&self) -> String {
        self.client.get_connection_info().addr.to_string()
    }
}

impl Redis {
    /// Starts an empty server that writes nothing to disk.
    pub fn start() -> Self {
        Self::with(&["--appendonly", "no"])
    }

    /// Starts a server with these options, as in `["--appendonly", "yes"]`. They hold for its restarts too.
    pub fn with(options: &[&str]) -> Self {
        Self::serve(Server::start(options, None))
    }

    /// Starts a server whose clock can be set, and returns that clock.
    pub fn with_clock() -> (Self, Clock) {
        let clock = Clock::new();
        let server = Server::start(&["--appendonly", "no"], Some(clock.clone()));
        (Self::serve(server), clock)
    }

    /// Starts a replica of `primary`, and waits until it has all data.
    pub async fn replica_of(primary: &Self) -> Self {
        let port = primary.ports()[0].to_string();
        let replica = Self::with(&["--appendonly", "no", "--replicaof", "127.0.0.1", &port]);
        let port = replica.ports()[0];
        // Until it has acknowledged this to its primary, WAIT does not count it.
        let linked = async || {
            let (its, own) = (primary.info("replication").await, replica.info("replication").await);
            let last = its.number("master_repl_offset");
            let acknowledged = format!("port={port},state=online,offset={last},");
            let mut replicas =
                (0..its.number("connected_slaves")).filter_map(|number| its.get(&format!("slave{number}")));
            replicas.any(|replica| replica.contains(&acknowledged)) && own.get("master_link_status") == Some("up")
        };
        until("the replica has the data of its primary", linked).await;
        // It reads on only after its first acknowledgement, which may be late on a busy machine.
        primary.command::<()>(["PUBLISH", "kit", ""]).await;
        until("the replica follows its primary", linked).await;
        replica
    }

    /// A Redis that runs already, at a URL like `redis://127.0.0.1:6379`.
    pub fn at(url: &str) -> Self {
        let client = Client::open(url).unwrap();
        Self { client, server: None }
    }

    fn serve(server: Server) -> Self {
        let client = Client::open(format!("redis://127.0.0.1:{}", server.port())).unwrap();
        Self {
            client,
            server: Some(server),
        }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("the test did not start this Redis")
    }

    fn server_mut(&mut self) -> &mut Server {
        self.server.as_mut().expect("the test did not start this Redis")
    }

    /// The ports for its clients, and for the other nodes of its Cluster.
    pub(crate) fn ports(&self) -> [u16; 2] {
        [self.server().port(), self.server().cluster_port()]
    }

    /// Kills the server (SIGKILL), as a crash would.
    pub fn kill(&mut self) {
        self.server_mut().kill();
    }

    /// Starts the server again on the same port, after [`Redis::kill`].
    pub fn restart(&mut self) {
        self.server_mut().restart();
    }

    /// Stops the server (SIGSTOP) without closing its connections: it hangs.
    pub fn hang(&self) {
        self.server().signal(Signal::STOP);
    }

    /// Lets the server run again, after [`Redis::hang`].
    pub fn resume(&self) {
        self.server().signal(Signal::CONT);
    }

    /// Opens a connection, for pipelines. For a single command there is [`Redis::command`].
    pub async fn connect(&self) -> MultiplexedConnection {
        let connection = self.client.get_multiplexed_async_connection().await;
        connection.unwrap_or_else(|why| panic!("there is no Redis at {}: {why}", self.host()))
    }

    /// Runs a command, which must succeed, on a connection of its own.
    pub async fn command<R: FromRedisValue>(&self, words: impl IntoIterator<Item = impl ToRedisArgs + Debug>) -> R {
        let words: Vec<_> = words.into_iter().collect();
        let reply = self.try_command(&words).await;
        reply.unwrap_or_else(|why| panic!("{words:?}: {why}"))
    }

    /// Runs a command that Redis may refuse, on a connection of its own.
    pub async fn try_command<R: FromRedisValue>(
        &self,
        words: impl IntoIterator<Item = impl ToRedisArgs>,
    ) -> RedisResult<R> {
        let mut command = Cmd::new();
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut self.connect().await).await
    }

    /// A section of `INFO`. The connection that asks is counted in it.
    pub async fn info(&self, section: &str) -> Info {
        Info::parse(&self.command::<String>(["INFO", section]).await)
    }

    /// How many connections it has now, the one that asks included.
    pub async fn clients(&self) -> u64 {
        self.info("clients").await.number("connected_clients")
    }

    /// How many clients wait in a blocking command.
    pub async fn blocked(&self) -> usize {
        let blocked = self.info("clients").await.number("blocked_clients");
        blocked.try_into().unwrap()
    }

    /// Its time, in microseconds since the Unix epoch.
    pub async fn time(&self) -> u64 {
        let (seconds, microseconds): (u64, u64) = self.command(["TIME"]).await;
        seconds * 1_000_000 + microseconds
    }

    /// The processor time that it has used, in microseconds.
    pub async fn processor_time(&self) -> u64 {
        let info = self.info("cpu").await;
        info.microseconds("used_cpu_user") + info.microseconds("used_cpu_sys")
    }

    /// The keys that match a pattern, sorted.
    pub async fn keys(&self, pattern: &str) -> Vec<String> {
        let mut keys: Vec<String> = self.command(["KEYS", pattern]).await;
        keys.sort();
        keys
    }

    /// Deletes a key.
    pub async fn delete(&self, key: &str) {
        self.command::<()>(["DEL", key]).await;
    }

    /// Deletes every key.
    pub async fn empty(&self) {
        self.command::<()>(["FLUSHALL"]).await;
    }

    /// Closes the connections of all clients.
    pub async fn cut_clients(&self) {
        self.command::<()>(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
            .await;
    }

    /// Adds an ACL user with these rules, as in `["~confab:*", "+evalsha"]`, until the server restarts.
    /// Returns the user's credentials, as in the variable `redis_credentials`.
    pub async fn user(&self, name: &str, rules: &[&str]) -> String {
        let words = [&["ACL", "SETUSER", name, "on", ">password"], rules].concat();
        self.command::<()>(words).await;
        format!("{name}:password")
    }

    /// Watches the commands that clients send from now on.
    pub async fn monitor(&self) -> Monitor {
        Monitor::start(&self.host(), self.connect().await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_restarts_on_its_port_with_its_options() {
        let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
        let host = redis.host();
        redis.command::<()>(["SET", "key", "value"]).await;
        for _ in 0..3 {
            redis.kill();
            redis.restart();
            assert_eq!(redis.host(), host);
            assert_eq!(redis.command::<String>(["GET", "key"]).await, "value");
        }
    }

    #[tokio::test]
    async fn a_replica_has_the_data_of_its_primary() {
        let primary = Redis::start();
        primary.command::<()>(["SET", "key", "value"]).await;
        let replica = Redis::replica_of(&primary).await;
        assert_eq!(replica.command::<String>(["GET", "key"]).await, "value");
    }

    #[tokio::test]
    async fn a_user_may_only_do_what_its_rules_allow() {
        let redis = Redis::start();
        let credentials = redis.user("me", &["~confab:*", "+get"]).await;
        let me = Redis::at(&format!("redis://{credentials}@{}", redis.host()));
        assert_eq!(me.command::<Option<String>>(["GET", "confab:x"]).await, None);
        for refused in [&["GET", "x"][..], &["SET", "confab:x", "y"]] {
            let error = me.try_command::<()>(refused).await.unwrap_err();
            assert_eq!(error.code(), Some("NOPERM"), "{error}");
        }
    }
}
