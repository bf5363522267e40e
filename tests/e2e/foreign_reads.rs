//! Pages of other origins cannot time what they cannot read.

use confab_kit::{Confab, Redis};
use reqwest::Method;

const LISTED: &str = "https://app.example";

/// How long an answer takes tells a page that cannot read it how much a chat has, and when a message comes.
#[tokio::test]
async fn a_page_of_another_origin_cannot_time_reads_and_a_link_on_it_works() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("cors_origins", LISTED).start();
    let own = format!("http://{}", confab.host());
    let read = |method, path: &str, headers: &[(&str, &str)]| {
        let mut request = confab.build(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        async { request.send().await.unwrap() }
    };
    let paths = [
        "/api/pull?chat=alice:bob",
        "/api/stream?chat=alice:bob",
        "/api/inbox?name=alice",
        "/api/inbox/stream?name=alice",
        "/api/me",
    ];
    let (cross, navigates) = (("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"));
    for headers in [
        &[cross][..],
        &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")],
        &[cross, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
        &[cross, navigates, ("sec-fetch-dest", "iframe")],
        &[cross, navigates, ("sec-fetch-dest", "object")],
        &[cross, ("sec-fetch-dest", "document")],
        &[("origin", "https://evil.example")],
        &[("origin", "null"), cross],
    ] {
        for path in paths {
            let answer = read(Method::GET, path, headers).await;
            assert_eq!(answer.status(), 403, "{path} {headers:?}");
            assert!(answer.headers().get("access-control-allow-origin").is_none());
            assert_eq!(
                read(Method::HEAD, path, headers).await.status(),
                403,
                "{path} {headers:?}"
            );
        }
        // What is for anybody.
        for path in ["/ping", "/confab.js", "/openapi.json"] {
            assert_eq!(read(Method::GET, path, headers).await.status(), 200, "{path}");
        }
    }
    for headers in [
        &[][..],
        &[("origin", own.as_str())],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")],
        &[("sec-fetch-site", "none"), navigates],
        &[("origin", LISTED), cross, ("sec-fetch-mode", "cors")],
        &[cross, navigates, ("sec-fetch-dest", "document")],
        &[("sec-fetch-site", "same-site"), navigates],
    ] {
        for path in paths {
            assert_eq!(
                read(Method::GET, path, headers).await.status(),
                200,
                "{path} {headers:?}"
            );
        }
    }
    // A form of another page opens a page too, and may not send.
    let form = [cross, navigates, ("sec-fetch-dest", "document")];
    assert_eq!(read(Method::POST, "/api/send", &form).await.status(), 403);
}
