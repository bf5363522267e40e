//! `confab-host`: serves confab on this machine, in place of `spin up`.

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use confab_host::allowed::AllowedHost;
use confab_host::instances::Limits;
use confab_host::manifest::App;
use confab_host::program::{Log, Program};
use confab_host::server::Server;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Serves the components of a spin.toml on a machine without Spin. For development; production is Spin.
#[derive(Parser)]
struct Options {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT")]
    listen: String,
    /// The Redis to use: sets the manifest's variables for its host and credentials.
    #[arg(long, env = "REDIS_URL", value_name = "redis://[[USER]:PASSWORD@]HOST:PORT")]
    redis: Option<Url>,
    /// A value for a variable of the manifest; may be repeated.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = name_and_value)]
    variables: Vec<(String, String)>,
    /// The manifest.
    #[arg(long, default_value = "spin.toml", value_name = "FILE")]
    from: PathBuf,
    /// How many requests an instance serves before it is replaced.
    #[arg(long, default_value_t = Limits::default().reuse_count, value_name = "COUNT")]
    max_instance_reuse_count: usize,
    /// How many instances there may be, of which one with streams counts twice.
    #[arg(long, env = "SPIN_MAX_INSTANCE_COUNT", default_value_t = Limits::default().stacks, value_name = "COUNT")]
    max_instance_count: usize,
}

fn name_and_value(argument: &str) -> Result<(String, String), &'static str> {
    let (name, value) = argument.split_once('=').ok_or("is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("confab-host: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<()> {
    let mut values = HashMap::new();
    if let Some(redis) = &options.redis {
        values.extend(redis_variables(redis)?);
    }
    values.extend(options.variables);
    let app = Arc::new(App::read(&options.from, &values)?);
    let listener = TcpListener::bind(&options.listen).await.with_context(|| {
        format!(
            "cannot listen on {}; name another address with --listen, like --listen 127.0.0.1:0",
            options.listen
        )
    })?;
    let program = Program::compile(&app.source)?;
    let failed = |line: &str| eprintln!("{line}");
    let limits = Limits {
        reuse_count: options.max_instance_reuse_count,
        stacks: options.max_instance_count,
    };
    let log: Log = Arc::new(wasmtime_wasi::cli::stderr());
    let server = Server::start(&program, &app, limits, listener, &log, failed)?;
    println!("Serving {} on http://{}", app.name, server.address());
    let allowed = &app.component("/").allowed_outbound_hosts;
    for redis in allowed.iter().flatten().filter_map(AllowedHost::redis) {
        warn_if_away(&redis).await;
    }
    println!("The chat page: http://{}/", server.address());
    println!("Every route: http://{}/openapi.json", server.address());
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    println!("Stopping.");
    server.stop().await;
    Ok(())
}

/// The manifest's variables for the Redis at `url`.
fn redis_variables(url: &Url) -> Result<HashMap<String, String>> {
    ensure!(
        url.scheme() == "redis",
        "--redis must start with redis:// (there is no TLS here; Spin has it)"
    );
    let host = url
        .host_str()
        .context("--redis needs a host, as in redis://127.0.0.1:6379")?;
    ensure!(
        matches!(url.path(), "" | "/" | "/0"),
        "--redis can only name database 0: confab has its own prefix for its keys"
    );
    let credentials = match (url.username(), url.password()) {
        ("", None) => String::new(),
        (user, password) => format!("{user}:{}", password.unwrap_or_default()),
    };
    Ok(HashMap::from([
        ("redis_host".into(), format!("{host}:{}", url.port().unwrap_or(6379))),
        ("redis_credentials".into(), credentials),
    ]))
}

/// Warns if nothing listens there. It is no reason to stop: requests get a 503 until Redis is there.
async fn warn_if_away(redis: &Url) {
    let address = (redis.host_str().unwrap_or_default(), redis.port().unwrap_or(6379));
    if let Err(error) = TcpStream::connect(address).await {
        eprintln!(
            "Redis is not there ({}:{}: {error}): start it, or name another one with --redis. Until then, requests get a 503.",
            address.0, address.1
        );
    }
}
