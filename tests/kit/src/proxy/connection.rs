//! One connection through the proxy.

use super::{Fault, Shared, Traffic};
use std::collections::VecDeque;
use std::io::Result;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

const BUFFER: usize = 1 << 16;

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Carry,
    Cut,
}

pub(super) struct Connection {
    client: TcpStream,
    server: TcpStream,
    shared: Arc<Shared>,
    /// What reaches Redis later, and when.
    late: VecDeque<(Instant, Vec<u8>)>,
    /// What waits for the gate to open.
    held: Vec<u8>,
}

impl Connection {
    pub(super) fn new(client: TcpStream, server: TcpStream, shared: Arc<Shared>) -> Self {
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
        }
        Self {
            client,
            server,
            shared,
            late: VecDeque::new(),
            held: Vec::new(),
        }
    }

    /// Carries bytes both ways until either side closes, or a fault cuts the connection.
    pub(super) async fn carry(mut self) {
        // If either side breaks off, both are closed.
        _ = self.try_carry().await;
    }

    async fn try_carry(&mut self) -> Result<()> {
        let (mut sent, mut replied) = (vec![0; BUFFER], vec![0; BUFFER]);
        let mut traffic = self.shared.traffic.subscribe();
        loop {
            let due = self.late.front().map(|(due, _)| *due);
            tokio::select! {
                length = self.client.read(&mut sent) => {
                    let length = length?;
                    if length == 0 || self.pass(&sent[..length]).await? == Next::Cut {
                        return Ok(());
                    }
                }
                length = self.server.read(&mut replied) => {
                    let length = length?;
                    if length == 0 {
                        return Ok(());
                    }
                    self.client.write_all(&replied[..length]).await?;
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if let Some((_, bytes)) = self.late.pop_front() {
                        self.server.write_all(&bytes).await?;
                    }
                }
                changed = traffic.changed() => {
                    if changed.is_ok() && !matches!(*traffic.borrow(), Traffic::Gate(_)) {
                        self.server.write_all(&std::mem::take(&mut self.held)).await?;
                    }
                }
            }
        }
    }

    /// Does with a client's bytes what the proxy is set to.
    async fn pass(&mut self, bytes: &[u8]) -> Result<Next> {
        let traffic = *self.shared.traffic.borrow();
        if let Traffic::Gate(wanted) = traffic {
            return self.hold(bytes, wanted).await;
        }
        match self.shared.draw() {
            None => match self.late.back() {
                // TCP keeps the order.
                Some((due, _)) => self.late.push_back((*due, bytes.to_vec())),
                None => self.server.write_all(bytes).await?,
            },
            Some(Fault::Delay(delay)) => {
                let last = self.late.back().map(|(due, _)| *due);
                let due = last.max(Some(Instant::now() + delay));
                self.late.extend(due.map(|due| (due, bytes.to_vec())));
            }
            Some(Fault::CutBefore) => return Ok(Next::Cut),
            Some(Fault::CutMidway) => {
                self.write_late().await?;
                self.server.write_all(&bytes[..bytes.len() / 2]).await?;
                return Ok(Next::Cut);
            }
            Some(Fault::CutAfter) => {
                self.write_late().await?;
                self.server.write_all(bytes).await?;
                _ = self.server.read(&mut vec![0; BUFFER]).await?;
                return Ok(Next::Cut);
            }
            Some(Fault::Hang) => {
                let mut ignored = vec![0; BUFFER];
                while self.client.read(&mut ignored).await? > 0 {}
                return Ok(Next::Cut);
            }
        }
        Ok(Next::Carry)
    }

    /// Holds scripts back until `wanted` of them wait. What comes before the first one passes.
    async fn hold(&mut self, bytes: &[u8], wanted: usize) -> Result<Next> {
        self.held.extend_from_slice(bytes);
        let scripts = self.held.windows(7).filter(|window| window == b"EVALSHA").count();
        self.shared.waiting.store(scripts, Ordering::Relaxed);
        if scripts >= wanted {
            self.shared.set(Traffic::Forward);
        }
        if scripts == 0 || scripts >= wanted {
            self.server.write_all(&std::mem::take(&mut self.held)).await?;
        }
        Ok(Next::Carry)
    }

    async fn write_late(&mut self) -> Result<()> {
        for (_, bytes) in std::mem::take(&mut self.late) {
            self.server.write_all(&bytes).await?;
        }
        Ok(())
    }
}
