//! The command `confab-host`: its output, its refusals, and how it stops.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use confab_kit::component::{build, project};
use confab_kit::{Endpoint, Port};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

fn confab_host() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_confab-host"));
    command.current_dir(project()).env_remove("REDIS_URL");
    command
}

/// The one line on standard error of a run, which must fail.
fn refusal(arguments: &[&str]) -> String {
    let run = confab_host().args(arguments).output().unwrap();
    let line = String::from_utf8(run.stderr).unwrap();
    assert!(!run.status.success(), "{arguments:?}: {line}");
    assert_eq!(line.lines().count(), 1, "{arguments:?}: {line}");
    line
}

#[test]
fn a_wrong_argument_is_refused_in_one_line_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let not_built = folder.path().join("spin.toml");
    let manifest = std::fs::read_to_string(project().join("spin.toml")).unwrap();
    std::fs::write(&not_built, manifest).unwrap();
    let not_built = not_built.to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (arguments, advice) in [
        (&["--listen", "127.0.0.1:0", "--from", not_built][..], "`make build`"),
        (&["--from", "nowhere.toml"], "nowhere.toml"),
        (&["--listen", &taken], "name another address with --listen"),
        (&["--listen", "nonsense"], "name another address with --listen"),
        (&["--variable", "no_such_variable=1"], "no_such_variable"),
        (&["--redis", "rediss://127.0.0.1:6379"], "must start with redis://"),
        (&["--redis", "redis://127.0.0.1:6379/5"], "only name database 0"),
    ] {
        let refusal = refusal(arguments);
        assert!(refusal.contains(advice), "{arguments:?}: {refusal}");
    }
}

/// A running confab-host, ended with the test.
struct Running {
    /// Where its Redis would be. Nothing listens there.
    redis: Port,
    process: Child,
    address: String,
    printed: BufReader<ChildStdout>,
    warned: BufReader<ChildStderr>,
}

impl Running {
    /// Starts it on a free port, without a Redis.
    fn start() -> Self {
        build();
        let redis = Port::reserve();
        let mut process = confab_host()
            .args(["--listen", "127.0.0.1:0"])
            .args(["--redis", &format!("redis://{}", redis.host())])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(process.stdout.take().unwrap());
        let warned = BufReader::new(process.stderr.take().unwrap());
        let first = line(&mut printed);
        let address = first
            .strip_prefix("Serving confab on http://")
            .unwrap_or_else(|| panic!("{first}"));
        Self {
            redis,
            address: address.to_owned(),
            process,
            printed,
            warned,
        }
    }

    /// The response to `GET path`, head and body.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        // What takes longer is a stream.
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The test may have ended it already.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[test]
fn it_prints_its_address_and_failed_requests_and_stops_at_ctrl_c() {
    let mut host = Running::start();
    assert_eq!(
        line(&mut host.printed),
        format!("The chat page: http://{}/", host.address)
    );
    assert_eq!(
        line(&mut host.printed),
        format!("Every route: http://{}/openapi.json", host.address)
    );
    let warning = line(&mut host.warned);
    assert!(
        warning.starts_with(&format!("Redis is not there ({}: ", host.redis.host())) && warning.contains("--redis"),
        "{warning}"
    );

    assert!(host.get("/ping").starts_with("HTTP/1.1 200 "));
    assert!(host.get("/api/pull?chat=a:b").starts_with("HTTP/1.1 503 "));
    let cause = line(&mut host.warned);
    assert!(cause.starts_with("confab: "), "{cause}");
    let failed = line(&mut host.warned);
    assert!(failed.starts_with("GET /api/pull 503 "), "{failed}");

    kill_process(Pid::from_child(&host.process), Signal::INT).unwrap();
    assert_eq!(line(&mut host.printed), "Stopping.");
    assert!(host.process.wait().unwrap().success());
    assert_eq!(line(&mut host.warned), "", "nothing else failed");
}
