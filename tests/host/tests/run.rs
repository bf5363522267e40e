//! `scripts/run` on a machine with Spin: what it makes of `REDIS_URL`.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use confab_kit::component::project;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

/// Stands in for Spin: prints the variables that it would pass on.
const SPIN: &str = r#"#!/bin/sh
case $1 in
  --version) echo 'spin 4.1.0' ;;
  *) echo "$SPIN_VARIABLE_REDIS_SCHEME $SPIN_VARIABLE_REDIS_CREDENTIALS $SPIN_VARIABLE_REDIS_HOST" ;;
esac
"#;

fn run(redis_url: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let spin = folder.path().join("spin");
    std::fs::write(&spin, SPIN).unwrap();
    std::fs::set_permissions(&spin, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(project().join("scripts/run"));
    command.env("PATH", path).env("REDIS_URL", redis_url).output().unwrap()
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
        let run = run(url);
        assert_eq!(String::from_utf8(run.stdout).unwrap().trim_end(), variables, "{url}");
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
