//! The requests about inboxes that tests send.

use crate::{Confab, TestResponse};
use reqwest::Method;
use serde_json::{Value, json};

/// Many more pages than any walk of a test has.
const MOST_PAGES: usize = 1000;

impl Confab {
    /// Sends `GET /api/inbox` with this query.
    pub async fn inbox_by(&self, query: &str) -> TestResponse {
        self.get(&format!("/api/inbox?{query}")).await
    }

    /// The chats of a person's first page of 100.
    pub async fn inbox(&self, name: &str) -> Vec<Value> {
        let page = self.inbox_by(&format!("name={name}&limit=100")).await.ok();
        page["chats"].as_array().unwrap().clone()
    }

    /// The chat of this name in a person's first page of 100.
    pub async fn inbox_chat(&self, name: &str, chat: &str) -> Value {
        let chats = self.inbox(name).await;
        let chat = self.chat(chat);
        let found = chats.iter().find(|found| found["chat"] == *chat);
        found.unwrap_or_else(|| panic!("{chat} is not in {chats:?}")).clone()
    }

    /// All chats of a person, read in pages of `limit`.
    pub async fn inbox_walk(&self, name: &str, limit: usize) -> Vec<Value> {
        let mut chats = Vec::new();
        let mut before = None;
        for _ in 0..MOST_PAGES {
            let mut request = self.build(Method::GET, "/api/inbox");
            request = request.query(&[("name", &*self.name(name)), ("limit", &limit.to_string())]);
            if let Some(before) = &before {
                request = request.query(&[("before", before)]);
            }
            let page = TestResponse::to(request).await.ok();
            let some = page["chats"].as_array().unwrap();
            chats.extend_from_slice(some);
            let Some(next) = page.get("next") else {
                assert_eq!(
                    page.get("has_more"),
                    None,
                    "has_more and next come together or not at all"
                );
                return chats;
            };
            assert_eq!((some.len(), &page["has_more"]), (limit, &json!(true)));
            before = Some(next.as_str().unwrap().to_owned());
        }
        panic!("the walk does not end");
    }

    /// Sends `POST /api/chat` with this body.
    pub async fn set(&self, body: Value) -> TestResponse {
        self.post_named("/api/chat", body).await
    }

    /// Sends `POST /api/read` with this body.
    pub async fn read(&self, body: Value) -> TestResponse {
        self.post_named("/api/read", body).await
    }

    async fn post_named(&self, path: &str, mut body: Value) -> TestResponse {
        if let Some(chat) = body["chat"].as_str() {
            body["chat"] = json!(self.chat(chat));
        }
        if let Some(name) = body["name"].as_str() {
            body["name"] = json!(self.name(name));
        }
        self.request(Method::POST, path, body.to_string()).await
    }

    /// Marks all of a chat as read, and returns the answer.
    pub async fn read_all(&self, chat: &str, name: &str) -> Value {
        self.read(json!({ "chat": chat, "name": name, "index": u64::MAX }))
            .await
            .ok()
    }
}
