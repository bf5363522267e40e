//! A TCP proxy before Redis that delays, cuts and hangs as it is told.

use fastrand::Rng;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What may happen to what a client sends in one go: a command, or a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It is late.
    Delay,
    /// The connection is cut, and Redis gets nothing.
    CutBefore,
    /// The connection is cut when half of it has gone to Redis.
    CutMidway,
    /// Redis gets it and replies, and the connection is cut: the client cannot know.
    CutAfter,
    /// Nothing more is heard, and the connection stays open.
    Hang,
}

/// How often each fault happens, in a thousand.
pub(crate) type Odds = &'static [(Fault, u32)];

pub(crate) struct Wire {
    host: String,
    faults: Arc<Mutex<BTreeMap<Fault, u32>>>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// A wire to the Redis at `redis_host`, with faults drawn by `seed`. A late command is late by `delay`.
    pub(crate) async fn start(redis_host: String, odds: Odds, delay: Duration, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let faults = Arc::<Mutex<BTreeMap<_, _>>>::default();
        let counts = Arc::clone(&faults);
        let random = Arc::new(Mutex::new(Rng::with_seed(seed)));
        let draw = move || {
            let mut number = random.lock().unwrap().u32(0..1000);
            let (fault, _) = odds.iter().find(|(_, odds)| {
                let hit = number < *odds;
                number = number.saturating_sub(*odds);
                hit
            })?;
            *counts.lock().unwrap().entry(*fault).or_insert(0) += 1;
            Some(*fault)
        };
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let Ok(server) = TcpStream::connect(&redis_host).await else {
                    continue;
                };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                tokio::spawn(carry(client, server, draw.clone(), delay));
            }
        });
        Self {
            host,
            faults,
            accepting,
        }
    }

    /// Where it listens, as `host:port`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The faults that there were.
    pub(crate) fn faults(&self) -> Faults {
        Faults(self.faults.lock().unwrap().clone())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A wire with a gate: closed, it lets scripts through to Redis only when as many as are wanted wait at it.
pub(crate) struct GatedWire {
    host: String,
    gate: Arc<Gate>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Gate {
    wanted: AtomicUsize,
    waiting: AtomicUsize,
}

impl GatedWire {
    /// A wire to the Redis at `redis_host`, its gate open.
    pub(crate) async fn start(redis_host: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let gate = Arc::<Gate>::default();
        let shared = Arc::clone(&gate);
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&redis_host).await.unwrap();
                tokio::spawn(carry_through_gate(client, server, Arc::clone(&shared)));
            }
        });
        Self { host, gate, accepting }
    }

    /// Where it listens, as `host:port`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Closes the gate until so many scripts wait at it, on one connection.
    pub(crate) fn close_until(&self, wanted: usize) {
        self.gate.wanted.store(wanted, Ordering::Relaxed);
    }

    /// How many scripts wait at the gate.
    pub(crate) fn waiting(&self) -> usize {
        self.gate.waiting.load(Ordering::Relaxed)
    }
}

impl Drop for GatedWire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry_through_gate(mut client: TcpStream, mut server: TcpStream, gate: Arc<Gate>) {
    let (mut buffer, mut waiting) = (vec![0; 1 << 16], Vec::new());
    let (mut from_server, mut to_server) = server.split();
    let (mut from_client, mut to_client) = client.split();
    let there = async {
        while let Some(length) = from_client.read(&mut buffer).await.ok().filter(|length| *length > 0) {
            waiting.extend_from_slice(&buffer[..length]);
            let scripts = waiting.windows(7).filter(|window| window == b"EVALSHA").count();
            gate.waiting.store(scripts, Ordering::Relaxed);
            if scripts >= gate.wanted.load(Ordering::Relaxed) {
                gate.wanted.store(0, Ordering::Relaxed);
                to_server.write_all(&waiting).await.unwrap();
                waiting.clear();
            }
        }
    };
    let back = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! { () = there => {}, _ = back => {} }
}

/// How many faults of each kind there were.
pub(crate) struct Faults(BTreeMap<Fault, u32>);

impl Faults {
    pub(crate) fn count(&self, fault: Fault) -> u32 {
        self.0.get(&fault).copied().unwrap_or(0)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} faults {:?}", self.0.values().sum::<u32>(), self.0)
    }
}

/// Carries bytes both ways until an end leaves, or a fault cuts the connection.
async fn carry(mut client: TcpStream, mut server: TcpStream, draw: impl Fn() -> Option<Fault>, delay: Duration) {
    let (mut sent, mut replied) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let carried = tokio::select! {
            read = client.read(&mut sent) => {
                let Some(command) = read.ok().filter(|length| *length > 0).and_then(|length| sent.get(..length)) else {
                    return;
                };
                match draw() {
                    None => {}
                    Some(Fault::Delay) => tokio::time::sleep(delay).await,
                    Some(Fault::CutBefore) => return,
                    Some(Fault::CutMidway) => {
                        _ = server.write_all(&command[..command.len() / 2]).await;
                        return;
                    }
                    Some(Fault::CutAfter) => {
                        _ = server.write_all(command).await;
                        _ = server.read(&mut replied).await;
                        return;
                    }
                    Some(Fault::Hang) => {
                        while client.read(&mut sent).await.is_ok_and(|length| length > 0) {}
                        return;
                    }
                }
                server.write_all(command).await
            }
            read = server.read(&mut replied) => {
                let Some(reply) = read.ok().filter(|length| *length > 0).and_then(|length| replied.get(..length)) else {
                    return;
                };
                client.write_all(reply).await
            }
        };
        if carried.is_err() {
            return;
        }
    }
}
