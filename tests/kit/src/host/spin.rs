//! A real Spin, as a process: the `spin` on the `PATH`.

use crate::{Endpoint, Port, component};
use confab_host::instances::Limits;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest that Spin may take to start on a busy machine.
const START: Duration = Duration::from_mins(1);

/// A running `spin up`, ended when it is dropped.
pub(crate) struct Spin {
    process: Child,
    port: Port,
    /// Its logs and its state.
    folder: TempDir,
}

impl Spin {
    pub(super) fn start(variables: &HashMap<String, String>, limits: Limits) -> Self {
        component::build();
        let (port, folder) = (Port::reserve(), tempfile::tempdir().unwrap());
        let output = File::create(folder.path().join("output")).unwrap();
        let mut command = Command::new("spin");
        command.args(["up", "--quiet", "--listen", &port.host(), "--from"]);
        command.arg(component::project().join("spin.toml"));
        command.args(["--max-instance-reuse-count", &limits.reuse_count.to_string()]);
        command.env("SPIN_MAX_INSTANCE_COUNT", limits.stacks.to_string());
        command.arg("--log-dir").arg(folder.path().join("logs"));
        command.arg("--state-dir").arg(folder.path().join("state"));
        for (name, value) in variables {
            command.args(["--variable", &format!("{name}={value}")]);
        }
        command.stdout(output.try_clone().unwrap()).stderr(output);
        // A group of its own, to be ended with the process that serves: Spin may be a parent and a child.
        let process = command
            .process_group(0)
            .spawn()
            .unwrap_or_else(|why| panic!("spin cannot be run: {why}"));
        let mut spin = Self { process, port, folder };
        let began = Instant::now();
        // A request would make an instance, and the tests count these and their connections.
        while !spin.read("output").contains("Serving http") {
            let ended = spin.process.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < START,
                "spin does not serve:\n{}",
                spin.read("output")
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        spin
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.port.host())
    }

    /// What the components have written to their standard error.
    pub(super) fn log(&self) -> String {
        ["confab", "confab-streams"]
            .map(|component| self.read(&format!("logs/{component}_stderr.txt")))
            .concat()
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }
}

impl Drop for Spin {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        _ = self.process.wait();
    }
}
