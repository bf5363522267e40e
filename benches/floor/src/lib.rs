//! The floor: the least that a component can do for a request. What confab costs above it is confab's own work.
//!
//! The path says what it does before it answers: `/body` reads a body of known length, `/ping` has Redis answer one `PING`,
//! `/deadline` limits both by a timer, and the three may follow each other. Any other path answers at once.

// How confab opens the connection that an instance keeps: one request opens it, the others wait.
#[path = "../../../src/redis/flight.rs"]
mod flight;

use bytes::Bytes;
use flight::{Flight, Role};
use futures::future::{Either, select};
use http_body::Body;
use http_body_util::Full;
use spin_sdk::http::{Error, Request, Response, Result};
use spin_sdk::redis::Connection;
use spin_sdk::wasip3::http::types;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use spin_sdk::wasip3::wit_future;
use spin_sdk::{time, variables};
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

const ANSWER: &str = r#"{"index":1000000,"send_time":1763943000123456}"#;

thread_local! {
    static KEPT: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
    static OPENING: Rc<Flight> = Rc::default();
}

/// Does what the path says, and answers.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let work = async {
        if path.contains("/body") {
            read(body).await;
        }
        if path.contains("/ping") {
            let connection = connection().await?;
            connection.execute("PING", Vec::new()).await.map_err(failed)?;
        }
        Ok::<_, Error>(())
    };
    if path.contains("/deadline") {
        match select(pin!(work), pin!(time::sleep(Duration::from_secs(2)))).await {
            Either::Left((done, _)) => done?,
            Either::Right(_) => return Err("late".into()),
        }
    } else {
        work.await?;
    }
    let answer = Response::builder()
        .header("content-type", "application/json; charset=utf-8")
        .header("content-length", ANSWER.len());
    Ok(answer.body(Full::new(Bytes::from_static(ANSWER.as_bytes())))?)
}

/// Reads the body by its length, as `src/http/body.rs` does.
async fn read(mut body: IncomingRequestBody) {
    let length = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
    let (Some(length), Some(request)) = (length, body.take_unstarted()) else {
        return;
    };
    let (_, no_failure) = wit_future::new(|| Ok(()));
    let (mut stream, _end) = types::Request::consume_body(request, no_failure);
    let mut read = 0;
    while read < length {
        let (_, chunk) = stream.read(Vec::with_capacity(length.saturating_sub(read))).await;
        if chunk.is_empty() {
            return;
        }
        read = read.saturating_add(chunk.len());
    }
}

/// The connection that this instance keeps.
async fn connection() -> Result<Rc<Connection>> {
    loop {
        if let Some(connection) = KEPT.with_borrow(Clone::clone) {
            return Ok(connection);
        }
        match OPENING.with(Rc::clone).join() {
            Role::Waiter(waiter) => waiter.landed().await,
            Role::Leader(_guard) => {
                let url = variables::get("redis_url").await.map_err(failed)?;
                let connection = Rc::new(Connection::open(url).await.map_err(failed)?);
                KEPT.set(Some(Rc::clone(&connection)));
            }
        }
    }
}

fn failed(why: impl std::fmt::Debug) -> Error {
    format!("{why:?}").into()
}
