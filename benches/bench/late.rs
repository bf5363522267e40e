//! A TCP proxy before Redis that is a place far away.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A wire on which every command is late by the same time, and none waits for another.
pub(crate) struct LateWire {
    host: String,
    accepting: JoinHandle<()>,
}

impl LateWire {
    /// A wire to the Redis at `redis_host`.
    pub(crate) async fn start(redis_host: String, late: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&redis_host).await.unwrap();
                server.set_nodelay(true).unwrap();
                tokio::spawn(carry_late(client, server, late));
            }
        });
        Self { host, accepting }
    }

    /// Where it listens, as `host:port`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for LateWire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry_late(mut client: TcpStream, mut server: TcpStream, late: Duration) {
    let (mut from_server, mut to_server) = server.split();
    let (mut from_client, mut to_client) = client.split();
    let (queue, mut queued) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let there = async {
        let mut buffer = vec![0; 1 << 16];
        while let Some(length) = from_client.read(&mut buffer).await.ok().filter(|length| *length > 0) {
            queue.send((Instant::now() + late, buffer[..length].to_vec())).unwrap();
        }
    };
    let onward = async {
        while let Some((due, commands)) = queued.recv().await {
            tokio::time::sleep_until(due).await;
            to_server.write_all(&commands).await.unwrap();
        }
    };
    let back = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! { () = there => {}, () = onward => {}, _ = back => {} }
}
