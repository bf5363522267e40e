//! Answers with a stream of server-sent events, and writes them until it ends.

use crate::config::Config;
use crate::domain::error::Result;
use crate::http::response::{BodyWriter, Response};
use crate::http::{problem, sse};
use crate::server_log;
use crate::service::{Lease, deliver};
use crate::session::Session;
use futures::future::{LocalBoxFuture, join};
use spin_sdk::wasip3::random::random::get_random_u64;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::StreamWriter;
use std::rc::Rc;
use std::time::Instant;

/// What a stream consists of.
pub(super) trait Source {
    /// Waits for the next events, and returns them as they are written; nothing after a silent heartbeat, and `None` at the end.
    fn next(&mut self) -> LocalBoxFuture<'_, Result<Option<Vec<u8>>>>;

    /// The id from which a client continues that has all events so far.
    fn id(&self) -> Option<String>;

    /// When the stream's lifetime is over.
    fn ends(&self) -> Instant;
}

/// The answer to a request for the headers of a stream alone.
pub(super) fn head() -> Response {
    Response::empty(200, sse::headers())
}

/// Answers with a stream, which goes on after this has returned. If its source has failed, it ends with a problem of this id. At its end,
/// the lease is given back.
///
/// The answer is 200 even if Redis is away: at any other status an `EventSource` gives up for good. The stream then ends with an
/// event that says so, and its client tries again.
pub(super) fn answer(
    config: Rc<Config>,
    log: server_log::Request,
    lease: Option<Lease>,
    source: Result<Box<dyn Source>>,
    id: Option<String>,
) -> Response {
    let (response, writer) = Response::stream(sse::headers());
    spawn(write(config, log, lease, source, id, writer));
    response
}

async fn write(
    config: Rc<Config>,
    log: server_log::Request,
    lease: Option<Lease>,
    source: Result<Box<dyn Source>>,
    id: Option<String>,
    mut writer: BodyWriter,
) {
    let session = Session::endless(Rc::clone(&config));
    let (written, id, ends) = match source {
        Ok(mut source) => {
            let writing = write_all(&config, source.as_mut(), &mut writer.contents);
            let written = Lease::during(lease.as_ref(), &session, writing).await;
            (written, source.id(), source.ends())
        }
        // Its client's own position stays in force.
        Err(error) => (Err(error), id, Instant::now()),
    };
    let give_back = Lease::give_back(lease, &session);
    let whole = match written {
        // Before the client knows of the end, so that its next stream has room.
        Ok(whole) => {
            give_back.await;
            whole
        }
        Err(error) => {
            log.failed(&error);
            let problem = sse::problem(id.as_deref(), &problem::body(&error));
            let told = deliver(&mut writer.contents, problem, config.stream_heartbeat, ends);
            join(told, give_back).await.0
        }
    };
    if whole {
        writer.finish().await;
    }
    // Otherwise the client is gone, or does not read.
}

/// Writes events until there are no more. Returns false if the client is gone or does not read.
async fn write_all(config: &Config, source: &mut dyn Source, events: &mut StreamWriter<u8>) -> Result<bool> {
    let mut next = sse::opening(get_random_u64());
    while deliver(events, next, config.stream_heartbeat, source.ends()).await {
        let Some(written) = source.next().await? else {
            return Ok(true);
        };
        next = if written.is_empty() { sse::heartbeat() } else { written };
    }
    Ok(false)
}
