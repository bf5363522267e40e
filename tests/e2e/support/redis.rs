//! A redis-server of one test's own, on a free port, gone when the test ends.

use redis::aio::MultiplexedConnection;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Redis {
    port: u16,
    folder: TempDir,
    options: &'static [&'static str],
    clock: Option<Clock>,
    server: Child,
}

impl Redis {
    /// A server that is ready, empty, and writes nothing to disk.
    pub(crate) fn start() -> Self {
        Self::with(&["--appendonly", "no"])
    }

    /// A server with these options, given again at each restart.
    pub(crate) fn with(options: &'static [&'static str]) -> Self {
        Self::start_with(options, None)
    }

    /// A server whose clock can be set, and that clock.
    pub(crate) fn with_a_clock() -> (Self, Clock) {
        let clock = Clock::new();
        (Self::start_with(&["--appendonly", "no"], Some(clock.clone())), clock)
    }

    fn start_with(options: &'static [&'static str], clock: Option<Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Another process may take a free port before the server does: try the next one.
        let (port, server) = (0..20)
            .find_map(|_| {
                let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
                Some((port, launch(port, &folder, options, clock.as_ref())?))
            })
            .expect("redis-server does not start; is it installed? (apt-get install redis-server)");
        Self {
            port,
            folder,
            options,
            clock,
            server,
        }
    }

    /// Where it listens, as `host:port`.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A connection of the test's own.
    pub(crate) async fn connect(&self) -> MultiplexedConnection {
        let client = redis::Client::open(format!("redis://{}", self.host())).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Starts it again on the same port, after [`Redis::kill`].
    pub(crate) fn restart(&mut self) {
        self.server =
            launch(self.port, &self.folder, self.options, self.clock.as_ref()).expect("the port was taken meanwhile");
    }

    /// Stops it from running, its connections open: a server that hangs.
    pub(crate) fn hang(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it run again.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.server), signal).unwrap();
    }

    /// Its time, in microseconds since the Unix epoch.
    pub(crate) async fn time(&self) -> u64 {
        let (seconds, microseconds): (u64, u64) =
            redis::cmd("TIME").query_async(&mut self.connect().await).await.unwrap();
        seconds * 1_000_000 + microseconds
    }

    /// How many connections it has accepted since it started, this call's own included.
    pub(crate) async fn connections(&self) -> u64 {
        self.info("stats", "total_connections_received").await
    }

    /// How many connections it has now, this call's own included.
    pub(crate) async fn clients(&self) -> u64 {
        self.info("clients", "connected_clients").await
    }

    /// How many of its clients wait for what is to come.
    pub(crate) async fn blocked(&self) -> usize {
        self.info("clients", "blocked_clients").await.try_into().unwrap()
    }

    async fn info(&self, section: &str, name: &str) -> u64 {
        let info = redis::cmd("INFO").arg(section).to_owned();
        let info: String = info.query_async(&mut self.connect().await).await.unwrap();
        let found = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        found.unwrap().trim().parse().unwrap()
    }

    /// The keys that it has of this pattern, sorted.
    pub(crate) async fn keys(&self, pattern: &str) -> Vec<String> {
        let keys = redis::cmd("KEYS").arg(pattern).to_owned();
        let mut keys: Vec<String> = keys.query_async(&mut self.connect().await).await.unwrap();
        keys.sort();
        keys
    }

    /// Deletes a key.
    pub(crate) async fn delete(&self, key: &str) {
        let delete = redis::cmd("DEL").arg(key).to_owned();
        let () = delete.query_async(&mut self.connect().await).await.unwrap();
    }

    /// Deletes every key.
    pub(crate) async fn empty(&self) {
        let () = redis::cmd("FLUSHALL")
            .query_async(&mut self.connect().await)
            .await
            .unwrap();
    }

    /// Closes every connection to it, but the one that asks for that.
    pub(crate) async fn cut_clients(&self) {
        let kill = redis::cmd("CLIENT")
            .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
            .to_owned();
        let () = kill.query_async(&mut self.connect().await).await.unwrap();
    }

    /// Watches every command that clients send from now on.
    pub(crate) async fn monitor(&self) -> Monitor {
        let mut stream = TcpStream::connect(self.host()).await.unwrap();
        stream.write_all(b"MONITOR\r\n").await.unwrap();
        let mut lines = tokio::io::BufReader::new(stream).lines();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "+OK");
        Monitor {
            lines,
            marker: self.connect().await,
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have been ended by the test already.
        _ = self.server.kill();
        _ = self.server.wait();
    }
}

/// A server that has said it is ready; none where it ended before that.
fn launch(port: u16, folder: &TempDir, options: &[&str], clock: Option<&Clock>) -> Option<Child> {
    let mut command = Command::new("redis-server");
    if let Some(clock) = clock {
        command
            .env("LD_PRELOAD", clock.library())
            .env("FAKE_CLOCK", clock.offset());
    }
    let mut server = command
        .args(["--bind", "127.0.0.1", "--save", ""])
        .args(options)
        .args(["--port", &port.to_string()])
        .arg("--dir")
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server cannot be run; is it installed? (apt-get install redis-server)");
    let mut log = BufReader::new(server.stdout.take().unwrap()).lines();
    let ready = log.any(|line| line.unwrap().contains("Ready to accept connections"));
    // A full pipe would stop the server.
    std::thread::spawn(move || log.for_each(drop));
    if !ready {
        server.wait().unwrap();
    }
    ready.then_some(server)
}

/// What a server takes for the time: the machine's, and as many seconds more as it is set to.
///
/// (libfaketime would do, but it and the allocator of Redis call each other until both give up.)
#[derive(Clone)]
pub(crate) struct Clock(Arc<TempDir>);

impl Clock {
    fn new() -> Self {
        let clock = Self(Arc::new(tempfile::tempdir().unwrap()));
        clock.set(0);
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/support/clock.c");
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-o"])
            .arg(clock.library())
            .arg(source);
        assert!(compiler.status().unwrap().success(), "{source} cannot be compiled");
        clock
    }

    /// Sets it before (a negative number) or after the machine's.
    pub(crate) fn set(&self, seconds: i64) {
        // In one step, as the server may be reading it.
        let next = self.0.path().join("next");
        std::fs::write(&next, seconds.to_string()).unwrap();
        std::fs::rename(next, self.offset()).unwrap();
    }

    fn offset(&self) -> PathBuf {
        self.0.path().join("offset")
    }

    fn library(&self) -> PathBuf {
        self.0.path().join("clock.so")
    }
}

/// The commands that clients send.
pub(crate) struct Monitor {
    lines: tokio::io::Lines<tokio::io::BufReader<TcpStream>>,
    marker: MultiplexedConnection,
}

impl Monitor {
    /// The names of the commands since the last call, but for those that scripts run, in upper case.
    pub(crate) async fn commands(&mut self) -> Vec<String> {
        let marker = "the end of what is asked for";
        let () = redis::cmd("ECHO")
            .arg(marker)
            .query_async(&mut self.marker)
            .await
            .unwrap();
        let mut commands = Vec::new();
        loop {
            let line = self.lines.next_line().await.unwrap().unwrap();
            if line.contains(marker) {
                return commands;
            }
            // +1700000000.000000 [0 127.0.0.1:40000] "EVALSHA" "..."; a script's commands have [0 lua].
            if !line.contains("[0 lua]") {
                commands.push(line.split('"').nth(1).unwrap().to_uppercase());
            }
        }
    }
}
