//! A clock for a redis-server, which tests can set.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// A server's clock: the machine's, plus an offset.
///
/// A library takes the place of `gettimeofday` in the server. (libfaketime and the allocator of Redis call each other endlessly.)
#[derive(Clone)]
pub struct Clock(Arc<TempDir>);

impl Clock {
    pub(super) fn new() -> Self {
        let clock = Self(Arc::new(tempfile::tempdir().unwrap()));
        clock.set(0);
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/redis/clock.c");
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-o"])
            .arg(clock.library())
            .arg(source);
        assert!(compiler.status().unwrap().success(), "{source} cannot be compiled");
        clock
    }

    /// Sets the clock so many seconds ahead of the machine's, or behind it if the number is negative.
    pub fn set(&self, seconds: i64) {
        // A rename is one step, so the server never reads half a number.
        let next = self.0.path().join("next");
        std::fs::write(&next, seconds.to_string()).unwrap();
        std::fs::rename(next, self.offset()).unwrap();
    }

    /// Makes a server take its time from this clock.
    pub(super) fn rule(&self, server: &mut Command) {
        server
            .env("LD_PRELOAD", self.library())
            .env("FAKE_CLOCK", self.offset());
    }

    fn offset(&self) -> PathBuf {
        self.0.path().join("offset")
    }

    fn library(&self) -> PathBuf {
        self.0.path().join("clock.so")
    }
}
