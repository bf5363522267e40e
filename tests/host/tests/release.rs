//! `scripts/release`: what it makes is served without anything else of this project, and nothing in it has another version.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use confab_host::instances::Limits;
use confab_host::manifest::App;
use confab_host::program::{Log, Program};
use confab_host::server::Server;
use confab_kit::Port;
use confab_kit::component::project;
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Makes a release of the project in `folder`, in a folder of the test's own.
fn release(project: &Path) -> (TempDir, Output) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(project.join("scripts/release"));
    let output = command.arg(folder.path().join("dist")).output().unwrap();
    (folder, output)
}

#[tokio::test]
async fn a_release_is_served_from_its_folder_alone() {
    let (folder, made) = release(&project());
    assert!(made.status.success(), "{made:?}");
    let dist = folder.path().join("dist");
    let mut files: Vec<_> = dist.read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(
        files,
        [
            "confab.wasm",
            "confab.wasm.sha256",
            "messaging.wit",
            "openapi.json",
            "spin.toml"
        ]
    );
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--status", "confab.wasm.sha256"]);
    assert!(check.current_dir(&dist).status().unwrap().success());

    let app = Arc::new(App::read(&dist.join("spin.toml"), &HashMap::new()).unwrap());
    assert_eq!(app.source, dist.join("confab.wasm"));
    let manifest = std::fs::read_to_string(dist.join("spin.toml")).unwrap();
    assert!(!manifest.contains("cargo"), "{manifest}");
    let (program, port) = (Program::compile(&app.source).unwrap(), Port::reserve());
    let log: Log = Arc::new(wasmtime_wasi::cli::stderr());
    let server = Server::start(&program, &app, Limits::default(), port.listen(), &log, |_| {}).unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let ping = b"GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(ping).await.unwrap();
    let mut answer = String::new();
    confab_kit::to_its_end(stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(answer.ends_with(r#"{"message":"pong"}"#), "{answer}");
}

#[test]
fn a_release_whose_files_have_two_versions_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["Cargo.toml", "spin.toml", "src/http/openapi.json", "scripts/release"] {
        let copy = folder.path().join(file);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(project().join(file), copy).unwrap();
    }
    for file in ["spin.toml", "src/http/openapi.json"] {
        let path = folder.path().join(file);
        let own = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, own.replacen(env!("CARGO_PKG_VERSION"), "0.0.1", 1)).unwrap();
        let (_, refused) = release(folder.path());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(
            !refused.status.success() && said.contains(&format!("in {file} it is")),
            "{said}"
        );
        std::fs::write(&path, own).unwrap();
    }
}
