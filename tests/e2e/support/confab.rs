//! confab, served in front of a test's Redis.

use super::{Redis, app, program};
use confab_host::server::Server;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpListener;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

pub(crate) struct Confab {
    server: Server,
    client: Client,
    log: MemoryOutputPipe,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    /// The header's value; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The status and the field at fault of an RFC 9457 problem (none: null), after a look at what all of them must have.
    pub(crate) fn problem(&self) -> (u16, Value) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        for member in ["type", "title", "detail"] {
            assert!(
                problem[member].as_str().is_some_and(|text| !text.is_empty()),
                "{problem}"
            );
        }
        (self.status, problem["field"].clone())
    }
}

impl Confab {
    /// confab as `spin.toml` has it, in front of `redis`.
    pub(crate) async fn start(redis: &Redis) -> Self {
        Self::with(&[("redis_host", &redis.host())]).await
    }

    /// confab with these values for its variables.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> Self {
        let log = MemoryOutputPipe::new(16 << 20);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::start(program(), &app(variables), listener, Arc::new(log.clone()), |_| {}).unwrap();
        Self {
            server,
            client: Client::new(),
            log,
        }
    }

    /// Where it listens, as `host:port`.
    pub(crate) fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// How many instances of the component there have been.
    pub(crate) fn instances(&self) -> usize {
        self.server.instances()
    }

    /// What the component has logged so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8(self.log.contents().to_vec()).unwrap()
    }

    /// Sends a request with a body of any kind.
    pub(crate) async fn request(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        answer(self.build(method, path).body(body)).await
    }

    /// A request, to be changed before it is sent.
    pub(crate) fn build(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.server.address()))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, "").await
    }

    /// The beginning of `GET /api/stream`'s answer.
    pub(crate) async fn stream(&self, query: &str) -> reqwest::Response {
        let request = self.build(Method::GET, &format!("/api/stream?{query}"));
        request.send().await.unwrap()
    }

    /// `POST /api/send` with this body.
    pub(crate) async fn post(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.request(Method::POST, "/api/send", body).await
    }

    /// Sends a message.
    pub(crate) async fn send(&self, chat: &str, sender: &str, text: &str) -> Answer {
        self.post(json!({ "chat": chat, "text": text, "sender": sender }).to_string())
            .await
    }

    /// Sends a message with these values for its header `Idempotency-Key`, as they are.
    pub(crate) async fn send_with_keys(&self, chat: &str, sender: &str, text: &str, keys: &[&str]) -> Answer {
        let body = json!({ "chat": chat, "text": text, "sender": sender }).to_string();
        let request = self.build(Method::POST, "/api/send").body(body);
        let with_key = |request: RequestBuilder, key: &&str| request.header("idempotency-key", *key);
        answer(keys.iter().fold(request, with_key)).await
    }

    /// Sends a message with an idempotency key.
    pub(crate) async fn send_keyed(&self, chat: &str, sender: &str, text: &str, key: &str) -> Answer {
        self.send_with_keys(chat, sender, text, &[&format!("\"{key}\"")]).await
    }

    /// Sends the texts one after the other.
    pub(crate) async fn send_all(&self, chat: &str, sender: &str, texts: impl IntoIterator<Item = impl AsRef<str>>) {
        for text in texts {
            self.send(chat, sender, text.as_ref()).await.ok();
        }
    }

    /// `GET /api/pull` with this body.
    pub(crate) async fn pull(&self, request: Value) -> Answer {
        self.request(Method::GET, "/api/pull", request.to_string()).await
    }

    /// The texts of a page.
    pub(crate) async fn texts(&self, request: Value) -> Vec<String> {
        texts(&self.pull(request).await.ok())
    }
}

/// The whole answer to a request.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await.unwrap().to_vec(),
    }
}

/// The texts of a pull's answer.
pub(crate) fn texts(page: &Value) -> Vec<String> {
    let messages = page["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["text"].as_str().unwrap().to_owned())
        .collect()
}
