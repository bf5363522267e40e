//! A TCP proxy in front of Redis that delays, cuts, holds and hangs.

mod connection;

use crate::{Endpoint, Port};
use connection::Connection;
use fastrand::Rng;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What can happen to what a client sends in one go: a command, or a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It reaches Redis so much later. What follows waits behind it, but delays do not add up.
    Delay(Duration),
    /// The connection is cut, and Redis receives nothing.
    CutBefore,
    /// The connection is cut after Redis received half of it.
    CutMidway,
    /// Redis receives it and replies, and the connection is cut: the client cannot know.
    CutAfter,
    /// The connection stays open, and nothing passes any more.
    Hang,
}

/// How often each fault happens, per thousand.
pub type Odds = &'static [(Fault, u32)];

const UNRELIABLE: Odds = &[
    (Fault::CutBefore, 15),
    (Fault::CutMidway, 10),
    (Fault::CutAfter, 15),
    (Fault::Delay(Duration::from_millis(5)), 10),
];

/// What a proxy does with what clients send.
#[derive(Clone, Copy, Debug)]
pub enum Traffic {
    /// It passes.
    Forward,
    /// The same fault happens to all of it.
    Always(Fault),
    /// Faults happen at random, drawn with this seed.
    Random(Odds, u64),
    /// Scripts are held until so many of them wait on one connection. Then the proxy forwards all.
    Gate(usize),
}

/// A proxy in front of a Redis.
pub struct Proxy {
    port: Port,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy in front of this Redis.
    pub fn start(redis: &impl Endpoint, traffic: Traffic) -> Self {
        let port = Port::reserve();
        let shared = Arc::new(Shared::new(redis.host(), traffic));
        let accepting = tokio::spawn(accept(port.listen(), Arc::clone(&shared)));
        Self {
            port,
            shared,
            accepting,
        }
    }

    /// Starts one that now and then cuts the connection before, within or after a command, or delays it.
    pub fn unreliable(redis: &impl Endpoint, seed: u64) -> Self {
        Self::start(redis, Traffic::Random(UNRELIABLE, seed))
    }

    /// Changes what happens from now on, on open connections too.
    pub fn set(&self, traffic: Traffic) {
        self.shared.set(traffic);
    }

    /// Leads new connections to another Redis from now on, as a name does that is given another address.
    pub fn lead_to(&self, redis: &impl Endpoint) {
        *self.shared.redis.lock().unwrap() = redis.host();
    }

    /// How many scripts wait on the connection that last sent something through the gate.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// The faults that have happened.
    pub fn faults(&self) -> Faults {
        Faults(self.shared.faults.lock().unwrap().clone())
    }
}

impl Endpoint for Proxy {
    fn host(&self) -> String {
        self.port.host()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// How often each fault has happened.
#[derive(Debug)]
pub struct Faults(BTreeMap<Fault, u32>);

impl Faults {
    /// How often this fault has happened.
    pub fn count(&self, fault: Fault) -> u32 {
        self.0.get(&fault).copied().unwrap_or(0)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} faults {:?}", self.0.values().sum::<u32>(), self.0)
    }
}

/// What the connections of a proxy share.
struct Shared {
    /// Where new connections lead.
    redis: Mutex<String>,
    traffic: watch::Sender<Traffic>,
    random: Mutex<Rng>,
    faults: Mutex<BTreeMap<Fault, u32>>,
    waiting: AtomicUsize,
}

impl Shared {
    fn new(redis: String, traffic: Traffic) -> Self {
        let shared = Self {
            redis: Mutex::new(redis),
            traffic: watch::Sender::new(Traffic::Forward),
            random: Mutex::default(),
            faults: Mutex::default(),
            waiting: AtomicUsize::new(0),
        };
        shared.set(traffic);
        shared
    }

    fn set(&self, traffic: Traffic) {
        if let Traffic::Random(_, seed) = traffic {
            *self.random.lock().unwrap() = Rng::with_seed(seed);
        }
        self.traffic.send_replace(traffic);
    }

    /// The fault that happens now, if one does.
    fn draw(&self) -> Option<Fault> {
        let fault = match *self.traffic.borrow() {
            Traffic::Forward | Traffic::Gate(_) => None,
            Traffic::Always(fault) => Some(fault),
            Traffic::Random(odds, _) => {
                let mut number = self.random.lock().unwrap().u32(0..1000);
                let drawn = odds.iter().find(|(_, odds)| {
                    let hit = number < *odds;
                    number = number.saturating_sub(*odds);
                    hit
                });
                drawn.map(|(fault, _)| *fault)
            }
        }?;
        *self.faults.lock().unwrap().entry(fault).or_insert(0) += 1;
        Some(fault)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let redis = shared.redis.lock().unwrap().clone();
        // If Redis is away, the client sees its connection closed.
        if let Ok(server) = TcpStream::connect(&redis).await {
            tokio::spawn(Connection::new(client, server, Arc::clone(&shared)).carry());
        }
    }
}
