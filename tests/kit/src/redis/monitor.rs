//! The commands that clients send to a Redis.

use redis::aio::MultiplexedConnection;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

/// Marks the end of what a test has asked for, in the list of commands.
const MARKER: &str = "the end of this list";

/// Watches a server with `MONITOR`.
pub struct Monitor {
    lines: Lines<BufReader<TcpStream>>,
    marker: MultiplexedConnection,
}

impl Monitor {
    pub(super) async fn start(host: &str, marker: MultiplexedConnection) -> Self {
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(b"MONITOR\r\n").await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "+OK");
        Self { lines, marker }
    }

    /// The names of the commands since the last call, in upper case, without those that scripts run.
    pub async fn commands(&mut self) -> Vec<String> {
        let () = redis::cmd("ECHO")
            .arg(MARKER)
            .query_async(&mut self.marker)
            .await
            .unwrap();
        let mut commands = Vec::new();
        loop {
            let line = self.lines.next_line().await.unwrap().unwrap();
            if line.contains(MARKER) {
                return commands;
            }
            // +1700000000.000000 [0 127.0.0.1:40000] "EVALSHA" "..."; a script's commands have [0 lua].
            if !line.contains("[0 lua]") {
                commands.push(line.split('"').nth(1).unwrap().to_uppercase());
            }
        }
    }
}
