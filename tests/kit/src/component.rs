//! The component: built from the source as it is now, and compiled once for all tests of a process.

use crate::place::not_at_a_url;
use confab_host::manifest::App;
use confab_host::program::Program;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

/// The folder of the repository; or of the one that is under test in its place (`CONFAB_PROJECT`, which `scripts/mutants` sets).
pub fn project() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("CONFAB_PROJECT").map_or_else(own, PathBuf::from)
}

/// Builds the component, if it is not built yet.
pub fn build() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2"])
            // Where spin.toml has it, whatever CARGO_TARGET_DIR is.
            .args(["--target-dir", "target"])
            .current_dir(project())
            .status()
            .unwrap();
        assert!(built.success(), "the component does not build");
    });
}

/// The application in `spin.toml`, with these values for its variables.
pub fn app(variables: impl IntoIterator<Item = (String, String)>) -> Arc<App> {
    let variables: HashMap<_, _> = variables.into_iter().collect();
    Arc::new(App::read(&project().join("spin.toml"), &variables).unwrap())
}

/// The component, ready to be instantiated.
pub fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        build();
        Program::compile(&app([]).source).unwrap()
    })
}

/// The size of the component, in bytes.
pub fn size() -> u64 {
    not_at_a_url("it looks at the component's file");
    build();
    std::fs::metadata(&app([]).source).unwrap().len()
}
