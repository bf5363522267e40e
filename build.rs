//! Has the component made smaller after it is linked, by a program that runs where there is a Unix shell: `scripts/wasm-ld`.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=scripts/wasm-ld");
    println!("cargo::rerun-if-env-changed=WASM_OPT");
    let for_wasm = std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    if for_wasm && cfg!(unix) {
        let linker = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/wasm-ld");
        println!("cargo::rustc-link-arg-cdylib=--wasm-ld-path={}", linker.display());
    }
}
