//! What tests stand on: a Redis of their own, and confab in front of it.

mod audit;
mod confab;
mod redis;
mod wire;

pub(crate) use audit::{Acknowledged, Audit, walk};
pub(crate) use confab::{Answer, Confab, texts};
pub(crate) use redis::Redis;
pub(crate) use wire::{Fault, GatedWire, Odds, Wire};

use confab_host::manifest::App;
use confab_host::program::Program;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

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
