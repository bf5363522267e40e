//! Walks through the pages of a chat, and the small helpers that tests of pages share.

use crate::{Confab, Redis};
use serde_json::Value;

/// Many more pages than any walk of a test has.
const MOST_PAGES: usize = 1000;

impl Confab {
    /// The pages from `request` on: follows `next_cursor`, in the same epoch, until there is no more.
    pub async fn pages(&self, mut request: Value) -> Vec<Value> {
        let mut pages = Vec::new();
        loop {
            let page = self.pull(request.clone()).await.ok();
            let (more, next) = (page.get("has_more").cloned(), page.get("next_cursor").cloned());
            request["epoch"] = page["epoch"].clone();
            pages.push(page);
            assert!(pages.len() < MOST_PAGES, "the walk does not end");
            let Some(next) = next else {
                assert_eq!(more, None, "has_more and next_cursor come together or not at all");
                return pages;
            };
            assert_eq!(more, Some(Value::Bool(true)));
            request["cursor"] = next;
        }
    }

    /// The messages of all pages from `request` on.
    pub async fn walk(&self, request: Value) -> Vec<Value> {
        let pages = self.pages(request).await;
        let messages = |page: &mut Value| match page["messages"].take() {
            Value::Array(messages) => messages,
            other => panic!("{other} in place of messages"),
        };
        pages.into_iter().flat_map(|mut page| messages(&mut page)).collect()
    }
}

/// The texts of a page.
pub fn texts(page: &Value) -> Vec<String> {
    let messages = page["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["text"].as_str().unwrap().to_owned())
        .collect()
}

/// These numbers as texts.
pub fn numbers(range: impl IntoIterator<Item = u64>) -> Vec<String> {
    range.into_iter().map(|number| number.to_string()).collect()
}

/// The Redis key of a chat log. `chat` is written as it is stored: folded, in order, percent-encoded.
pub fn log_key(chat: &str) -> String {
    format!("confab:{{{chat}}}:log")
}

impl Redis {
    /// A key as the server log shows it: with a digest in place of the names.
    pub async fn logged_key(&self, key: &str) -> String {
        let (start, rest) = key.split_once('{').unwrap();
        let (names, end) = rest.split_once('}').unwrap();
        let digest: String = self
            .command(["EVAL", "return redis.sha1hex(ARGV[1])", "0", names])
            .await;
        format!("{start}{{#{}}}{end}", &digest[..12])
    }
}
