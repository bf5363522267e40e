//! What tests stand on: a Redis of their own, and confab in front of it.

mod audit;
mod confab;
mod follower;
mod redis;
mod wire;

pub(crate) use audit::{Acknowledged, Audit, walk};
pub(crate) use confab::{Answer, Confab, answer, texts};
pub(crate) use follower::Follower;
pub(crate) use redis::Redis;
pub(crate) use wire::{Fault, GatedWire, Odds, Wire};

use confab_host::manifest::App;
use confab_host::program::Program;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The manifest's app, with these values for its variables.
pub(crate) fn app(variables: &[(&str, &str)]) -> Arc<App> {
    let values: HashMap<_, _> = variables
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("spin.toml");
    Arc::new(App::read(&manifest, &values).unwrap())
}

/// What a test's chances are drawn by: the variable `CONFAB_SEED`, to repeat a run, or else another one each time.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("CONFAB_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("seed: CONFAB_SEED={seed}");
    seed
}

/// Comes back when the condition is true. Fails where it does not become so.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < end, "it does not come to this: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The component, built from the source as it is now, and compiled once for all tests.
pub(crate) fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "the component does not build");
        Program::compile(&app(&[]).source).unwrap()
    })
}
