//! Redis connections: the instance's one, opened when first needed, shared by its requests, replaced when it breaks; and those
//! of requests that wait for what is to come.
//!
//! Opening is a TCP connection each time (the host pools nothing), and a broken one never mends itself. The host's handle
//! carries many commands at once, so requests share it without waiting for each other's replies.

use crate::config;
use crate::error::{Error, Result};
use futures::future::{Either, select};
use sha1_smol::Sha1;
use spin_sdk::redis::{self, Connection, RedisParameter, RedisResult};
use spin_sdk::time;
use spin_sdk::wasip3::wit_stream;
use spin_sdk::wit_bindgen::{StreamReader, StreamWriter};
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

thread_local! {
    static KEPT: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
    /// There while a request opens the connection: the requests that wait for it.
    static LINE: RefCell<Option<Vec<StreamWriter<u8>>>> = const { RefCell::new(None) };
}

/// A Lua script that Redis runs as one atomic step on keys of one slot. To run it twice must do what to run it once does:
/// where the connection breaks, nobody knows whether it ran.
pub struct Script {
    body: &'static str,
    digest: OnceLock<String>,
}

impl Script {
    /// The script of this source.
    pub const fn new(body: &'static str) -> Self {
        Self {
            body,
            digest: OnceLock::new(),
        }
    }

    /// What Redis calls the script.
    fn digest(&self) -> &str {
        self.digest.get_or_init(|| Sha1::from(self.body).digest().to_string())
    }
}

/// Runs a script in one round trip (two where Redis does not know it yet) and returns its reply, nested lists flattened.
///
/// Where the connection breaks, it runs the script once more, on a new one. Answers within the deadline `redis_timeout_ms`,
/// whatever Redis does; every failure on the way is [`Error::Unavailable`], but an address that the host does not allow is
/// [`Error::Internal`].
pub async fn run(script: &Script, keys: &[&str], arguments: &[&[u8]]) -> Result<Vec<RedisResult>> {
    let config = config::get().await?;
    let answer = run_on_kept(&config.redis_url, script, keys, arguments);
    within(config.redis_timeout, answer).await.map_err(|error| {
        if matches!(error, NoReply::Late(_)) {
            // A peer that vanished without a word looks like a slow one: only a new connection can tell.
            KEPT.take();
        }
        error.into()
    })
}

/// A connection of one request's own, for a command that blocks: on the shared one it would hold up all others. Opened when
/// first needed, and closed with its owner.
#[derive(Default)]
pub struct OwnConnection(Option<Connection>);

impl OwnConnection {
    /// Runs a command that Redis may take as long as `patience` to reply to, and a deadline longer. After a failure,
    /// which is [`Error::Unavailable`], the next command opens the connection anew.
    pub async fn block(&mut self, patience: Duration, command: &str, arguments: &[&[u8]]) -> Result<Vec<RedisResult>> {
        let config = config::get().await?;
        let arguments: Vec<_> = arguments.iter().copied().map(binary).collect();
        // Dropped where this ends early: the reply may still come, and would be taken for the next command's.
        let connection = self.0.take();
        let answer = async {
            let connection = match connection {
                Some(connection) => connection,
                None => Connection::open(&config.redis_url).await?,
            };
            let reply = connection.execute(command, arguments).await?;
            Ok((connection, reply))
        };
        let (connection, reply) = within(patience.saturating_add(config.redis_timeout), answer).await?;
        self.0 = Some(connection);
        Ok(reply)
    }
}

/// Why there is no reply.
enum NoReply {
    Late(Duration),
    Failed(redis::Error),
}

impl From<NoReply> for Error {
    fn from(no_reply: NoReply) -> Self {
        match no_reply {
            NoReply::Late(deadline) => Self::Unavailable(format!("no answer within {} ms", deadline.as_millis())),
            NoReply::Failed(error) => failure(error),
        }
    }
}

async fn within<T>(deadline: Duration, answer: impl Future<Output = Result<T, redis::Error>>) -> Result<T, NoReply> {
    match select(pin!(answer), pin!(time::sleep(deadline))).await {
        Either::Left((answer, _)) => answer.map_err(NoReply::Failed),
        Either::Right(((), _)) => Err(NoReply::Late(deadline)),
    }
}

async fn run_on_kept(
    url: &str,
    script: &Script,
    keys: &[&str],
    arguments: &[&[u8]],
) -> Result<Vec<RedisResult>, redis::Error> {
    let connection = connect(url).await?;
    if let Ok(reply) = evaluate(&connection, script, keys, arguments).await {
        return Ok(reply);
    }
    // The host tells a broken connection and a refused command in the same way, so either costs the connection.
    forget(&connection);
    evaluate(&*connect(url).await?, script, keys, arguments).await
}

/// The kept connection, or a new one. Requests that come while it is opened wait for it, so that an instance has only one.
async fn connect(url: &str) -> Result<Rc<Connection>, redis::Error> {
    loop {
        if let Some(connection) = KEPT.with_borrow(Clone::clone) {
            return Ok(connection);
        }
        match join_line() {
            // Comes to its end, without a value, when the opening request drops its `Turn`.
            Some(mut opened) => opened.next().await,
            None => break,
        };
    }
    let _turn = Turn;
    let connection = Rc::new(Connection::open(url).await?);
    KEPT.set(Some(Rc::clone(&connection)));
    Ok(connection)
}

/// What to wait for where another request is opening the connection; none where it is now this request's turn.
///
/// A Rust waker will not do: requests are tasks of the component model, and wit-bindgen 0.57 wakes one from another only by
/// an operation that Wasmtime traps. The end of a stream is an event that the host itself delivers.
fn join_line() -> Option<StreamReader<u8>> {
    LINE.with_borrow_mut(|line| {
        let Some(waiting) = line else {
            *line = Some(Vec::new());
            return None;
        };
        let (writer, reader) = wit_stream::new();
        waiting.push(writer);
        Some(reader)
    })
}

/// The turn of one request to open the connection. Its end, also by the request's deadline, wakes all that wait.
struct Turn;

impl Drop for Turn {
    fn drop(&mut self) {
        LINE.take();
    }
}

fn forget(broken: &Rc<Connection>) {
    KEPT.with_borrow_mut(|kept| {
        if kept.as_ref().is_some_and(|connection| Rc::ptr_eq(connection, broken)) {
            *kept = None;
        }
    });
}

async fn evaluate(
    connection: &Connection,
    script: &Script,
    keys: &[&str],
    arguments: &[&[u8]],
) -> Result<Vec<RedisResult>, redis::Error> {
    let parameters = |script: &str| -> Vec<RedisParameter> {
        let count = binary(keys.len().to_string().as_bytes());
        let keys = keys.iter().map(|key| key.as_bytes());
        let values = keys.chain(arguments.iter().copied()).map(binary);
        [binary(script.as_bytes()), count].into_iter().chain(values).collect()
    };
    match connection.execute("EVALSHA", parameters(script.digest())).await {
        Err(redis::Error::Other(why)) if is_noscript(&why) => connection.execute("EVAL", parameters(script.body)).await,
        reply => reply,
    }
}

fn binary(bytes: &[u8]) -> RedisParameter {
    RedisParameter::Binary(bytes.to_vec())
}

/// Whether Redis did not run the script because it does not know it (yet, or since a restart).
///
/// The host gives Redis's error code `NOSCRIPT` only as text, in the words of its client library.
fn is_noscript(why: &str) -> bool {
    why.contains("NoScriptError") || why.contains("NOSCRIPT")
}

fn failure(error: redis::Error) -> Error {
    match error {
        redis::Error::InvalidAddress => {
            Error::Internal("the Redis address is malformed, or allowed_outbound_hosts does not have it".into())
        }
        redis::Error::TooManyConnections => Error::Unavailable("the host allows no more connections".into()),
        redis::Error::TypeError => Error::Unavailable("the reply was of a type the host does not know".into()),
        redis::Error::Other(why) => Error::Unavailable(why),
    }
}
