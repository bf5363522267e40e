//! The process of a redis-server.

use super::clock::Clock;
use crate::Port;
use crate::place::not_at_a_url;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(super) struct Server {
    port: Port,
    /// The port on which the nodes of a Cluster talk. Redis takes `port` + 10,000 unless it is named, which may be in use.
    cluster_port: Port,
    folder: TempDir,
    options: Vec<String>,
    clock: Option<Clock>,
    process: Child,
}

impl Server {
    /// Starts a server, and waits until it is ready.
    pub(super) fn start(options: &[&str], clock: Option<Clock>) -> Self {
        not_at_a_url("it needs a Redis of its own");
        let (port, cluster_port) = (Port::reserve(), Port::reserve());
        let folder = tempfile::tempdir().unwrap();
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let process = launch(&port, &cluster_port, &folder, &options, clock.as_ref());
        Self {
            port,
            cluster_port,
            folder,
            options,
            clock,
            process,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port.number()
    }

    pub(super) fn cluster_port(&self) -> u16 {
        self.cluster_port.number()
    }

    /// Kills it between two of its calls of the system. One that is killed in the middle of a write may leave half of a file that it replaces,
    /// as a node of a Cluster does, and would not start again.
    pub(super) fn kill(&mut self) {
        self.signal(Signal::STOP);
        let halted = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&self.process)), halted).unwrap();
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn restart(&mut self) {
        self.process = launch(
            &self.port,
            &self.cluster_port,
            &self.folder,
            &self.options,
            self.clock.as_ref(),
        );
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The test may have ended it already.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// What runs as a Redis: the program that `REDIS_SERVER` names, as of Valkey; else the `redis-server` on the `PATH`.
fn program() -> OsString {
    let named = std::env::var_os("REDIS_SERVER").filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "redis-server".into())
}

fn launch(port: &Port, cluster_port: &Port, folder: &TempDir, options: &[String], clock: Option<&Clock>) -> Child {
    let program = program();
    let mut command = Command::new(&program);
    if let Some(clock) = clock {
        clock.rule(&mut command);
    }
    let mut process = command
        .args(["--bind", "127.0.0.1", "--save", ""])
        .args(options)
        .args(["--port", &port.number().to_string()])
        .args(["--cluster-port", &cluster_port.number().to_string()])
        .arg("--dir")
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|why| {
            panic!(
                "{} cannot be run: {why} (apt-get install redis-server)",
                program.display()
            )
        });
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut log = String::new();
    loop {
        let Some(line) = lines.next() else {
            panic!("{} ended before it was ready:\n{log}", program.display());
        };
        let line = line.unwrap();
        if line.contains("Ready to accept connections") {
            break;
        }
        log.push_str(&line);
        log.push('\n');
    }
    // A full pipe would stop the server.
    std::thread::spawn(move || lines.for_each(drop));
    process
}
