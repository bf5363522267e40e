//! The chat page's files: their headers, and how a browser keeps them. `tests/browser` shows what they do.

use confab_kit::{Confab, Port, TestResponse};
use reqwest::Method;

const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: [(&str, &str); 10] = [
    ("/", "text/html; charset=utf-8"),
    ("/app.css", "text/css; charset=utf-8"),
    ("/app.js", SCRIPT),
    ("/chat.js", SCRIPT),
    ("/confab.js", SCRIPT),
    ("/dom.js", SCRIPT),
    ("/here.js", SCRIPT),
    ("/list.js", SCRIPT),
    ("/outbox.js", SCRIPT),
    ("/rows.js", SCRIPT),
];

#[tokio::test]
async fn the_page_is_served_without_redis_and_may_load_nothing_but_its_own() {
    let nothing = Port::reserve();
    let confab = Confab::start(&nothing);
    for (path, content_type) in FILES {
        let (get, head) = (confab.get(path).await, confab.request(Method::HEAD, path, "").await);
        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert_eq!(head.body, b"", "{path}");
        for answer in [&get, &head] {
            assert_eq!(answer.header("content-type"), content_type, "{path}");
            assert_eq!(answer.header("content-length"), get.body.len().to_string(), "{path}");
            assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
            let policy = answer.header("content-security-policy");
            for rule in [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "connect-src 'self'",
            ] {
                assert!(policy.split("; ").any(|other| other == rule), "{path}: {policy}");
            }
            assert!(
                !policy.contains("unsafe") && !policy.contains("http"),
                "{path}: {policy}"
            );
        }
    }
}

#[tokio::test]
async fn a_browser_that_has_the_page_receives_304() {
    let nothing = Port::reserve();
    let confab = Confab::start(&nothing);
    let mut tags = Vec::new();
    for (path, _) in FILES {
        let tag = confab.get(path).await.header("etag").to_owned();
        for method in [Method::GET, Method::HEAD] {
            let again = TestResponse::to(confab.build(method, path).header("if-none-match", &tag)).await;
            assert_eq!((again.status, again.header("etag")), (304, tag.as_str()), "{path}");
            assert_eq!(again.header("cache-control"), "no-cache", "{path}");
            assert_eq!(again.body, b"", "{path}");
        }
        let other = confab.build(Method::GET, path).header("if-none-match", "\"0\"");
        let other = TestResponse::to(other).await;
        assert_eq!(other.status, 200, "{path}");
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), FILES.len());
}
