//! The names of persons and chats: on a confab that others use too, each test has its own.

use crate::Confab;
use crate::place::{Place, place, report};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What every name of a test against a URL begins with.
const MARK: &str = "conformance-";

/// What the names of a new confab begin with: nothing if its Redis is the test's own, else what no other test or run has.
pub(crate) fn prefix() -> String {
    static RUN: OnceLock<String> = OnceLock::new();
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let Place::Url(_) = place() else {
        return String::new();
    };
    let run = RUN.get_or_init(|| {
        let word: String = (0..8).map(|_| fastrand::lowercase()).collect();
        report(&format!("names\t{MARK}{word}-"));
        format!("{MARK}{word}-")
    });
    format!("{run}{}-", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Confab {
    /// A person's name as the helpers send it: with what the names of this confab begin with.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A chat as the helpers send it: with the names of its members as they send them. What is no chat stays as it is.
    pub fn chat(&self, chat: &str) -> String {
        chat_of(&self.prefix, chat)
    }
}

fn chat_of(prefix: &str, chat: &str) -> String {
    match chat.split_once(':') {
        Some((one, other)) if !one.is_empty() && !other.is_empty() && !other.contains(':') => {
            format!("{prefix}{one}:{prefix}{other}")
        }
        _ => chat.to_owned(),
    }
}

/// A path with the chats and names in its query as the helpers send them.
pub(crate) fn path_of(prefix: &str, path: &str) -> String {
    let parts = path.split_inclusive(['?', '&']);
    let rename = |part: &str| {
        let end = part.len() - usize::from(part.ends_with('&'));
        let (parameter, after) = (&part[..end], &part[end..]);
        match parameter.split_once('=') {
            Some(("chat", chat)) => format!("chat={}{after}", chat_of(prefix, chat)),
            // Without a name, the request stays wrong.
            Some(("name", name)) if !name.is_empty() => format!("name={prefix}{name}{after}"),
            _ => part.to_owned(),
        }
    };
    parts.map(rename).collect()
}

/// Fails if a request to a confab that others use names a chat that may be theirs.
pub(crate) fn guard(body: Option<&[u8]>) {
    let Place::Url(_) = place() else { return };
    let body: Option<serde_json::Value> = body.and_then(|body| serde_json::from_slice(body).ok());
    let chat = body.as_ref().and_then(|body| body["chat"].as_str());
    let chat = chat.filter(|chat| chat_of(MARK, chat) != *chat && !chat.contains(char::is_control));
    if let Some(chat) = chat {
        assert!(
            chat.starts_with(MARK),
            "{chat} may be another's: name it by Confab::chat"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_a_chat_are_the_tests_own_and_wrong_chats_stay_wrong() {
        assert_eq!(chat_of("x-", "a:é"), "x-a:x-é");
        assert_eq!(chat_of("", "a:b"), "a:b");
        for wrong in ["", ":", "a", "a:", ":b", "a:b:c"] {
            assert_eq!(chat_of("x-", wrong), wrong);
        }
    }

    #[test]
    fn each_chat_and_name_of_a_query_is_the_tests_own() {
        let path = "/api/stream?cursor=1&chat=a:%7B&chats=a:b&chat=c&chat=a+b:d&name=e&name=&rename=f&name";
        let own = "/api/stream?cursor=1&chat=x-a:x-%7B&chats=a:b&chat=c&chat=x-a+b:x-d&name=x-e&name=&rename=f&name";
        assert_eq!(path_of("x-", path), own);
        assert_eq!(path_of("", path), path);
    }
}
