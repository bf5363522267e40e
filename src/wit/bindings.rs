//! The Rust side of `wit/messaging.wit`, generated.

#![allow(clippy::allow_attributes, clippy::pedantic, missing_docs, reason = "generated code")]

wit_bindgen::generate!({
    path: "wit",
    world: "component-door",
    runtime_path: "::wit_bindgen::rt",
    pub_export_macro: true,
});
