//! The requests that tests send to a confab.

use crate::access::{as_person, check, with_token};
use crate::names::path_of;
use crate::{Confab, TestResponse, texts};
use reqwest::{Body, Method, RequestBuilder};
use serde_json::{Value, json};

impl Confab {
    /// Starts a request, to be changed before it is sent. Its query names chats as [`Confab::chat`] does.
    pub fn build(&self, method: Method, path: &str) -> RequestBuilder {
        with_token(self.without_token(method, path))
    }

    /// The same without the token that a URL under test may need.
    pub fn without_token(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{}", self.url(), path_of(&self.prefix, path));
        self.client.request(method, url)
    }

    /// Every route that it describes at `/openapi.json`, with its method.
    pub async fn routes(&self) -> Vec<(Method, String)> {
        let description = self.get("/openapi.json").await.ok();
        let paths = description["paths"].as_object().unwrap().iter();
        let routes = paths.flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase().parse().unwrap(), path.clone()))
        });
        routes.collect()
    }

    /// Sends a request with any body.
    pub async fn request(&self, method: Method, path: &str, body: impl Into<Body>) -> TestResponse {
        TestResponse::to(self.build(method, path).body(body)).await
    }

    /// Sends `GET path`.
    pub async fn get(&self, path: &str) -> TestResponse {
        self.request(Method::GET, path, "").await
    }

    /// Sends `GET /api/stream`, and returns as soon as the response has begun.
    pub async fn stream(&self, query: &str) -> reqwest::Response {
        let request = self.build(Method::GET, &format!("/api/stream?{query}"));
        let response = request.send().await.unwrap();
        check(response.status().as_u16());
        response
    }

    /// Sends `POST /api/send` with this body, as it is.
    pub async fn post(&self, body: impl Into<Body>) -> TestResponse {
        self.request(Method::POST, "/api/send", body).await
    }

    /// The body that sends a message.
    pub fn body(&self, chat: &str, sender: &str, text: &str) -> String {
        json!({ "chat": self.chat(chat), "text": text, "sender": self.name(sender) }).to_string()
    }

    /// Sends a message.
    pub async fn send(&self, chat: &str, sender: &str, text: &str) -> TestResponse {
        self.send_with_keys(chat, sender, text, &[]).await
    }

    /// Sends a message with an idempotency key.
    pub async fn send_keyed(&self, chat: &str, sender: &str, text: &str, key: &str) -> TestResponse {
        self.send_with_keys(chat, sender, text, &[&format!("\"{key}\"")]).await
    }

    /// Sends a message with an `Idempotency-Key` header for each of these raw values.
    pub async fn send_with_keys(&self, chat: &str, sender: &str, text: &str, keys: &[&str]) -> TestResponse {
        self.send_body(self.body(chat, sender, text), sender, keys).await
    }

    /// Sends a message with data and no text, with an `Idempotency-Key` header for each of these raw values.
    pub async fn send_data(&self, chat: &str, sender: &str, data: &Value, keys: &[&str]) -> TestResponse {
        let body = json!({ "chat": self.chat(chat), "sender": self.name(sender), "data": data });
        self.send_body(body.to_string(), sender, keys).await
    }

    async fn send_body(&self, body: String, sender: &str, keys: &[&str]) -> TestResponse {
        let request = self.without_token(Method::POST, "/api/send").body(body);
        let mut request = if self.persons_send {
            as_person(request, &self.name(sender))
        } else {
            with_token(request)
        };
        for key in keys {
            request = request.header("idempotency-key", *key);
        }
        TestResponse::to(request).await
    }

    /// Sends a message as the person of this token.
    pub async fn send_as(&self, token: &str, chat: &str, text: &str, key: Option<&str>) -> TestResponse {
        let body = json!({ "chat": self.chat(chat), "text": text }).to_string();
        let request = self.build(Method::POST, "/api/send").bearer_auth(token).body(body);
        let key = key.map(|key| ("idempotency-key", key));
        TestResponse::to(
            key.into_iter()
                .fold(request, |request, (name, key)| request.header(name, key)),
        )
        .await
    }

    /// Sends the texts one after the other. All must be stored.
    pub async fn send_all(&self, chat: &str, sender: &str, texts: impl IntoIterator<Item = impl AsRef<str>>) {
        for text in texts {
            self.send(chat, sender, text.as_ref()).await.ok();
        }
    }

    /// Sends `GET /api/pull` with this body.
    pub async fn pull(&self, mut request: Value) -> TestResponse {
        if let Some(chat) = request["chat"].as_str() {
            request["chat"] = json!(self.chat(chat));
        }
        self.request(Method::GET, "/api/pull", request.to_string()).await
    }

    /// The texts of one page.
    pub async fn texts(&self, request: Value) -> Vec<String> {
        texts(&self.pull(request).await.ok())
    }

    /// The epoch of a chat log; 0 if the chat is empty.
    pub async fn epoch(&self, chat: &str) -> u64 {
        let page = self.pull(json!({ "chat": chat })).await.ok();
        page["epoch"].as_u64().unwrap()
    }
}
