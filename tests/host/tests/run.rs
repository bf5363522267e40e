//! `scripts/run` on a machine with Spin: what it makes of `REDIS_URL`, and of a Redis of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use confab_kit::component::project;
use confab_kit::{Port, Redis};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Stands in for Spin: prints the variables that it would pass on, and what else it is started with.
const SPIN: &str = r#"#!/bin/sh
case $1 in
  --version) echo 'spin 4.1.0' ;;
  *)
    echo "$SPIN_VARIABLE_REDIS_SCHEME $SPIN_VARIABLE_REDIS_CREDENTIALS $SPIN_VARIABLE_REDIS_HOST"
    echo "$SPIN_MAX_INSTANCE_COUNT $*"
    ;;
esac
"#;

/// Runs the script of the project in this folder.
fn run_in(project: &Path, redis_url: Option<&str>, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let spin = folder.path().join("spin");
    std::fs::write(&spin, SPIN).unwrap();
    std::fs::set_permissions(&spin, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(project.join("scripts/run"));
    command.args(arguments).env("PATH", path).env_remove("REDIS_URL");
    command.env_remove("SPIN_MAX_INSTANCE_COUNT");
    command.envs(redis_url.map(|url| ("REDIS_URL", url)));
    command.output().unwrap()
}

fn run(redis_url: &str) -> Output {
    run_in(&project(), Some(redis_url), &[])
}

fn lines(run: &Output) -> Vec<String> {
    let printed = String::from_utf8(run.stdout.clone()).unwrap();
    printed.lines().map(str::to_owned).collect()
}

/// A project of its own, whose Redis keeps its data there and takes another port first.
fn copy(port: &Port) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("scripts")).unwrap();
    for name in ["scripts/run", "scripts/setup"] {
        let script = std::fs::read_to_string(project().join(name)).unwrap();
        let to = folder.path().join(name);
        std::fs::write(&to, script.replace("6379", &port.number().to_string())).unwrap();
        std::fs::set_permissions(&to, PermissionsExt::from_mode(0o755)).unwrap();
    }
    folder
}

#[test]
fn spin_has_many_instances_and_reuses_them_unless_the_caller_says_otherwise() {
    for (arguments, expected) in [
        (&[][..], "10000 up --max-instance-reuse-count 100000"),
        (
            &["--listen", "127.0.0.1:8080"],
            "10000 up --max-instance-reuse-count 100000 --listen 127.0.0.1:8080",
        ),
        (
            &["--max-instance-reuse-count", "5"],
            "10000 up --max-instance-reuse-count 5",
        ),
    ] {
        let run = run_in(&project(), Some("redis://127.0.0.1:6379"), arguments);
        assert_eq!(lines(&run)[1], expected);
    }
}

/// How Redis heals is shown by the e2e test `torn_file`.
#[tokio::test]
async fn a_torn_append_only_file_is_written_anew_before_confab_serves() {
    for torn in [true, false] {
        let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
        redis.command::<()>(["SET", "key", "value"]).await;
        redis.command::<()>(["SET", "key", "torn"]).await;
        redis.kill();
        if torn {
            redis.tear(1);
        }
        let port = Port::reserve();
        let project = copy(&port);
        let files = project.path().join(".confab/appendonlydir");
        std::fs::create_dir_all(&files).unwrap();
        for file in std::fs::read_dir(redis.append_only_folder()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), files.join(file.file_name())).unwrap();
        }
        let run = run_in(project.path(), None, &[]);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success(), "{said}");
        assert_eq!(lines(&run)[0], format!("redis  127.0.0.1:{}", port.number()));
        // Redis numbers its files.
        assert_eq!(files.join("appendonly.aof.2.base.rdb").exists(), torn, "{said}");
        assert_eq!(said.contains("Writing the file anew"), torn, "{said}");
    }
}

#[test]
fn spin_receives_scheme_credentials_and_place_of_redis_url() {
    for (url, variables) in [
        ("redis://127.0.0.1:6379", "redis  127.0.0.1:6379"),
        ("redis://redis.example", "redis  redis.example:6379"),
        ("redis://[::1]", "redis  [::1]:6379"),
        ("redis://[fe80::1]:7000/", "redis  [fe80::1]:7000"),
        ("redis://me:s%40id@[::1]:7000/0", "redis me:s%40id [::1]:7000"),
        ("rediss://:said@redis.example/0", "rediss :said redis.example:6379"),
    ] {
        assert_eq!(lines(&run(url))[0], variables, "{url}");
    }
}

#[test]
fn a_database_or_an_option_is_refused_and_not_dropped() {
    for url in [
        "redis://127.0.0.1:6379/5",
        "redis://127.0.0.1/1",
        "redis://127.0.0.1:6379?db=5",
        "redis://127.0.0.1:6379/0?protocol=3",
        "redis://[::1]/x",
    ] {
        let run = run(url);
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(!run.status.success() && run.stdout.is_empty(), "{url}: {said}");
        assert!(said.contains("only name database 0"), "{url}: {said}");
    }
}
