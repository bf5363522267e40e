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
        let lines = self.lines().await;
        let own = lines.iter().filter(|line| !is_of_script(line));
        own.map(|line| words(line)[0].to_uppercase()).collect()
    }

    /// The commands that scripts have run since the last call: of each script each command, and of each command its words.
    pub async fn scripts(&mut self) -> Vec<Vec<Vec<String>>> {
        let mut scripts = Vec::new();
        for line in self.lines().await {
            if is_of_script(&line) {
                let script: &mut Vec<_> = scripts.last_mut().expect("a script begins with its own command");
                script.push(words(&line));
            } else {
                scripts.push(Vec::new());
            }
        }
        scripts.retain(|script| !script.is_empty());
        scripts
    }

    /// The lines since the last call.
    async fn lines(&mut self) -> Vec<String> {
        let () = redis::cmd("ECHO")
            .arg(MARKER)
            .query_async(&mut self.marker)
            .await
            .unwrap();
        let mut lines = Vec::new();
        loop {
            let line = self.lines.next_line().await.unwrap().unwrap();
            if line.contains(MARKER) {
                return lines;
            }
            lines.push(line);
        }
    }
}

/// Whether a script has run the command: `+1700000000.000000 [0 lua] "XLEN" "..."`. A client's has its address there.
fn is_of_script(line: &str) -> bool {
    line.contains("[0 lua]")
}

/// The words of a command, which have no quotes.
fn words(line: &str) -> Vec<String> {
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}
