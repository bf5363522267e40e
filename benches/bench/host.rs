//! A host as a process of its own, so that its processor time can be told from that of the load generator.

use confab_kit::{Endpoint, Port, component};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What a tick in `/proc` is worth, in microseconds: Linux has 100 ticks a second for all programs.
const TICK_US: u64 = 10_000;

/// A running host, ended when it is dropped.
pub(crate) struct Host {
    process: Child,
    port: Port,
}

impl Host {
    /// Serves the component of a manifest on this Redis: with the Spin at `BENCH_SPIN`, or else with confab-host.
    pub(crate) fn start(manifest: &str, redis: &(impl Endpoint + ?Sized)) -> Self {
        Self::with(manifest, redis, &[])
    }

    /// The same, with these variables.
    pub(crate) fn with(manifest: &str, redis: &(impl Endpoint + ?Sized), variables: &[(&str, &str)]) -> Self {
        let port = Port::reserve();
        let mut command = match std::env::var("BENCH_SPIN") {
            Ok(spin) => {
                let mut command = Command::new(spin);
                command.args(["up", "--quiet"]);
                command
            }
            Err(_) => Command::new(confab_host()),
        };
        let process = command
            // As docs/deployment.md says.
            .args(["--max-instance-reuse-count", "100000"])
            .env("SPIN_MAX_INSTANCE_COUNT", "10000")
            .arg("--from")
            .arg(component::project().join(manifest))
            .args(["--listen", &port.host()])
            .args(["--variable", &format!("redis_host={}", redis.host())])
            .args(
                variables
                    .iter()
                    .flat_map(|(name, value)| ["--variable".to_owned(), format!("{name}={value}")]),
            )
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|why| panic!("{command:?}: {why}"));
        let mut host = Self { process, port };
        while !host.answers() {
            let ended = host.process.try_wait().unwrap();
            assert_eq!(ended, None, "the host of {manifest} has ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        host
    }

    /// Whether it answers a request. confab-host listens before it has compiled the component.
    fn answers(&self) -> bool {
        let answer = || {
            let mut stream = TcpStream::connect(self.port.host())?;
            stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
            stream.read(&mut [0; 1])
        };
        answer().is_ok_and(|length| length > 0)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.port.host())
    }

    /// The processor time that it has used, in microseconds.
    pub(crate) fn processor_time(&self) -> u64 {
        let ticks = |process: &PathBuf| {
            let stat = stat(process)?;
            Some(stat[USER_TIME] + stat[SYSTEM_TIME])
        };
        self.processes().iter().filter_map(ticks).sum::<u64>() * TICK_US
    }

    /// Its memory, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let kilobytes = |process: &PathBuf| {
            let status = std::fs::read_to_string(process.join("status")).ok()?;
            let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            memory.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        };
        self.processes().iter().filter_map(kilobytes).sum::<u64>() * 1024
    }

    /// The folders in `/proc` of the host's processes: Spin is a parent and a child.
    fn processes(&self) -> Vec<PathBuf> {
        let own = self.process.id();
        let parent = Path::new("/proc").join(own.to_string());
        let folders = std::fs::read_dir("/proc").unwrap().map(|folder| folder.unwrap().path());
        let is_of_host =
            |folder: &PathBuf| *folder == parent || stat(folder).is_some_and(|stat| stat[PARENT] == u64::from(own));
        folders.filter(is_of_host).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let processes = self.processes();
        let ids = processes
            .iter()
            .filter_map(|process| process.file_name()?.to_str()?.parse().ok());
        for id in ids.filter_map(Pid::from_raw) {
            // It may have ended with its parent.
            _ = kill_process(id, Signal::KILL);
        }
        self.process.wait().unwrap();
    }
}

/// The processor time that the benchmark itself has used, in microseconds.
pub(crate) fn own_time() -> u64 {
    let stat = stat(Path::new("/proc/self")).unwrap();
    (stat[USER_TIME] + stat[SYSTEM_TIME]) * TICK_US
}

const PARENT: usize = 0;
const USER_TIME: usize = 10;
const SYSTEM_TIME: usize = 11;

/// The numbers of `/proc/<pid>/stat`, from the id of its parent on (field 4 of `proc_pid_stat(5)`); `None` if this is no process.
fn stat(process: &Path) -> Option<Vec<u64>> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name before may have any character. One that is below zero is not needed.
    let (_, numbers) = stat.rsplit_once(')')?;
    let numbers = numbers.split_whitespace().skip(1);
    Some(numbers.map(|number| number.parse().unwrap_or(0)).collect())
}

/// The confab-host that `make bench` has built, beside the benchmark.
fn confab_host() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(2).unwrap().join("confab-host")
}
