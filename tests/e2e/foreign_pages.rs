//! Pages of other origins: which of them may call, and which may read the answer. tests/browser asks a browser the same.

use confab_kit::token::{SECRET, token};
use confab_kit::{Confab, Redis, TestResponse};
use reqwest::Method;
use serde_json::{Value, json};

const BODY: &str = r#"{"chat":"alice:bob","text":"hi","sender":"alice"}"#;
const LISTED: &str = "https://app.example";

/// Sends a message with these headers, as a browser does for a page.
async fn send(confab: &Confab, headers: &[(&str, &str)]) -> TestResponse {
    let mut request = confab.build(Method::POST, "/api/send").body(BODY);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    TestResponse::to(request).await
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_send_in_a_visitor_s_name() {
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let own = format!("http://{}", confab.host());
    let behind_tls = format!("https://{}", confab.host());
    let mut stored = 0;
    for headers in [
        &[][..],
        &[("origin", own.as_str())],
        &[("origin", &behind_tls)],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
    ] {
        send(&confab, headers).await.ok();
        stored += 1;
    }
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://localhost:1")],
        &[("origin", LISTED)],
        &[("origin", own.as_str()), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        &[("origin", own.as_str()), ("origin", own.as_str())],
    ] {
        let answer = send(&confab, headers).await;
        assert_eq!(answer.problem(), (403, json!("Origin")), "{headers:?}");
        assert_eq!(answer.json()["type"], "/problems/forbidden");
        assert_eq!(answer.header("www-authenticate"), "");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{headers:?}");
    }
    assert_eq!(confab.texts(json!({ "chat": "alice:bob" })).await.len(), stored);
}

#[tokio::test]
async fn a_foreign_page_is_403_before_its_token_is_asked_for() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("auth", "required");
    let confab = confab.variable("auth_secret", SECRET).start();
    for token in ["x".to_owned(), token("alice")] {
        let bearer = format!("Bearer {token}");
        let answer = send(
            &confab,
            &[("origin", "https://evil.example"), ("authorization", &bearer)],
        )
        .await;
        assert_eq!(answer.problem(), (403, json!("Origin")));
    }
}

#[tokio::test]
async fn a_listed_page_may_send_and_read_whatever_the_answer_is() {
    let redis = Redis::start();
    let confab = Confab::on(&redis)
        .variable("auth", "required")
        .variable("auth_secret", SECRET);
    let confab = confab
        .variable("cors_origins", format!("http://localhost:5173 {LISTED}"))
        .start();
    let asking = |method, path: &str, origin: &str| {
        let request = confab.build(Method::OPTIONS, path).header("origin", origin);
        request.header("access-control-request-method", method)
    };
    let preflight = |method, path: &str, origin: &str| TestResponse::to(asking(method, path, origin));
    let answer = preflight("POST", "/api/send", LISTED).await;
    assert_eq!(
        (answer.status, answer.body.len(), answer.header("content-length")),
        (204, 0, "")
    );
    for (name, value) in [
        ("access-control-allow-origin", LISTED),
        ("access-control-allow-methods", "POST"),
        (
            "access-control-allow-headers",
            "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
        ),
        ("access-control-max-age", "7200"),
        ("vary", "Origin"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    // What traces a page's requests, and what is no header's name.
    for (named, allowed) in [
        (
            "authorization,traceparent",
            "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, traceparent",
        ),
        (
            "traceparent,x y",
            "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
        ),
    ] {
        let request = asking("POST", "/api/send", LISTED).header("access-control-request-headers", named);
        let answer = TestResponse::to(request).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-headers")),
            (204, allowed)
        );
    }
    for origin in ["https://evil.example", "null"] {
        let answer = preflight("POST", "/api/send", origin).await;
        assert_eq!((answer.status, answer.header("vary")), (204, "Origin"));
        for name in ["origin", "methods", "headers"] {
            assert_eq!(answer.header(&format!("access-control-allow-{name}")), "", "{origin}");
        }
    }
    assert_eq!(preflight("GET", "/nothing", LISTED).await.problem(), (404, Value::Null));

    let bearer = format!("Bearer {}", token("alice"));
    let with_token = [
        ("origin", LISTED),
        ("sec-fetch-site", "cross-site"),
        ("authorization", bearer.as_str()),
    ];
    send(&confab, &with_token).await.ok();
    for (method, path, token, status) in [
        (Method::GET, "/ping", false, 200),
        (Method::GET, "/api/me", true, 200),
        (Method::GET, "/api/me", false, 401),
        (Method::GET, "/api/pull?chat=bob:carol", true, 403),
        (Method::GET, "/api/pull", true, 400),
        (Method::GET, "/nothing", false, 404),
        (Method::DELETE, "/api/pull", false, 405),
        (Method::GET, "/api/stream?chat=alice:bob", true, 200),
        (Method::HEAD, "/api/stream?chat=alice:bob", true, 200),
    ] {
        let headers = if token { &with_token[..] } else { &with_token[..1] };
        let mut request = confab.build(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        for (name, value) in [
            ("access-control-allow-origin", LISTED),
            (
                "access-control-expose-headers",
                "Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate",
            ),
            ("vary", "Origin"),
        ] {
            assert_eq!(answer.headers()[name], value, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_star_lists_all_origins_but_null_and_a_wrong_list_is_a_500() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("cors_origins", "*").start();
    let any = send(&confab, &[("origin", "https://any.example")]).await;
    assert_eq!(
        (any.status, any.header("access-control-allow-origin")),
        (200, "https://any.example")
    );
    assert_eq!(
        send(&confab, &[("origin", "null")]).await.problem(),
        (403, json!("Origin"))
    );

    let confab = Confab::on(&redis).variable("cors_origins", "app.example").start();
    for path in ["/api/me", "/ready"] {
        assert_eq!(confab.get(path).await.problem(), (500, Value::Null), "{path}");
    }
    assert_eq!(confab.get("/ping").await.status, 200);
    confab.logged("the variable cors_origins must").await;
}
