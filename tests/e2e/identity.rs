//! Who is calling: what a request needs if identity is on, and how a request without it is answered (RFC 6750).

use confab_kit::token::{SECRET, claims, eddsa, hs256, public_keys, signed, token};
use confab_kit::{Builder, Confab, Redis, TestResponse};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// confab with identity on, for tokens of [`SECRET`] and of [`public_keys`].
fn required(redis: &Redis) -> Builder {
    let builder = Confab::on(redis).variable("auth", "required");
    builder
        .variable("auth_secret", SECRET)
        .variable("auth_keys", public_keys())
}

/// Sends a request with this token in its header.
async fn with(confab: &Confab, method: Method, path: &str, token: &str, body: &str) -> TestResponse {
    let request = confab.without_token(method, path).bearer_auth(token);
    TestResponse::any(request.body(body.to_owned())).await
}

/// The routes that ask who calls.
async fn routes(confab: &Confab) -> Vec<(Method, String)> {
    let routes = confab.routes().await.into_iter();
    routes.filter(|(_, path)| path.starts_with("/api/")).collect()
}

#[tokio::test]
async fn without_a_token_each_route_of_the_api_is_401_before_any_other_fault() {
    let confab = Confab::asking().await;
    let routes = routes(&confab).await;
    assert!(routes.len() > 5, "{routes:?}");
    for (method, path) in routes {
        for query in ["", "?cursor=x&%ff", "?chat=a:b"] {
            let request = confab.without_token(method.clone(), &format!("{path}{query}"));
            let answer = TestResponse::any(request.body("{")).await;
            assert_eq!(answer.problem(), (401, Value::Null), "{path}{query}");
            assert_eq!(answer.json()["type"], "/problems/unauthenticated");
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"confab\"");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    for path in ["/ping", "/ready"] {
        assert_eq!(confab.get(path).await.status, 200, "{path}");
    }
    let other = confab
        .without_token(Method::GET, "/api/me")
        .basic_auth("alice", Some("x"));
    assert_eq!(
        TestResponse::any(other).await.header("www-authenticate"),
        "Bearer realm=\"confab\""
    );
    assert_eq!(confab.log(), "");
}

#[tokio::test]
async fn a_token_names_the_caller_and_an_open_confab_ignores_it() {
    let redis = Redis::start();
    let confab = required(&redis).start();
    for token in [token("Alice"), eddsa(&claims("Alice", 60))] {
        let me = with(&confab, Method::GET, "/api/me", &token, "").await.ok();
        assert_eq!((&me["name"], &me["auth"]), (&json!("alice"), &json!("required")));
    }
    let open = Confab::start(&redis);
    for token in [token("alice"), "forged".into()] {
        let me = with(&open, Method::GET, "/api/me?access_token=x", &token, "")
            .await
            .ok();
        assert_eq!((&me["name"], &me["auth"]), (&json!(null), &json!("open")));
    }
}

#[tokio::test]
async fn no_forged_token_gets_through() {
    let confab = Confab::asking().await;
    let good = token("alice");
    let (message, signature) = good.rsplit_once('.').unwrap();
    let extended = |extra: &[(&str, Value)]| {
        let mut claims = claims("alice", 60);
        for (name, value) in extra {
            claims[*name] = value.clone();
        }
        hs256(SECRET, &claims)
    };
    let by_secret = |header: Value| {
        let plain = claims("alice", 60);
        let by = hs256(SECRET, &plain);
        signed(&header, &plain, |_| by.as_bytes().to_vec())
    };
    let forged = [
        signed(&json!({ "alg": "none" }), &claims("alice", 60), |_| Vec::new()),
        by_secret(json!({ "alg": "none" })),
        by_secret(json!({ "alg": "RS256" })),
        by_secret(json!({ "alg": "EdDSA", "kid": "tests" })),
        hs256(&public_keys(), &claims("alice", 60)),
        hs256(&"x".repeat(32), &claims("alice", 60)),
        format!("{message}."),
        message.to_owned(),
        format!("{message}.{}", &signature[..40]),
        format!("{good}="),
        format!("{good}.x"),
        String::new(),
        "é".into(),
        "a b".into(),
        hs256(SECRET, &claims("alice", -30)),
        hs256(SECRET, &json!({ "sub": "alice" })),
        hs256(SECRET, &claims("alice:bob", 60)),
        extended(&[("exp", json!("9999999999"))]),
        extended(&[("nbf", json!(9_999_999_999_u64))]),
        extended(&[("aud", json!("x"))]),
        extended(&[("aud", json!(["x"]))]),
        extended(&[("x", json!("x".repeat(5 * 1024)))]),
    ];
    let mut requests = 0;
    let routes = routes(&confab).await;
    for token in &forged {
        for (method, path) in &routes {
            let body = json!({ "chat": confab.chat("alice:bob"), "text": "hi" }).to_string();
            let answer = with(&confab, method.clone(), &format!("{path}?chat=alice:bob"), token, &body).await;
            assert_eq!(answer.problem(), (401, Value::Null), "{path} {token}");
            let challenge = answer.header("www-authenticate");
            let start = "Bearer realm=\"confab\", error=\"invalid_token\", error_description=\"the token";
            assert!(
                challenge.starts_with(start) || challenge.contains("\"no key of the token's"),
                "{challenge}"
            );
            requests += 1;
        }
    }
    println!(
        "0 of {requests} requests with {} forged tokens got through",
        forged.len()
    );
    let Some(redis) = confab.redis() else { return };
    assert_eq!(redis.keys("*").await, Vec::<String>::new());
    confab.send_as(&good, "alice:bob", "hi", None).await.ok();
}

#[tokio::test]
async fn a_token_in_the_query_is_for_streams_and_for_five_minutes() {
    let redis = Redis::start();
    let confab = required(&redis).start();
    // An issuer's clock may be 30 s ahead.
    let [short, ahead, long] = [290, 325, 390].map(|seconds| hs256(SECRET, &claims("alice", seconds)));
    for token in [&short, &ahead] {
        let stream = confab.stream(&format!("chat=alice:bob&access_token={token}")).await;
        assert_eq!(stream.status(), 200);
    }
    for (path, token, why) in [
        ("/api/stream?chat=alice:bob&", &long, "300 seconds"),
        ("/api/pull?chat=alice:bob&", &short, "for streams only"),
        ("/api/me?", &short, "for streams only"),
        ("/api/stream?chat=alice:bob&", &"x".to_owned(), "malformed"),
    ] {
        let answer = confab.get(&format!("{path}access_token={token}")).await;
        assert_eq!(answer.status, 401, "{path}");
        let challenge = answer.header("www-authenticate");
        assert!(
            challenge.contains("invalid_token") && challenge.contains(why),
            "{challenge}"
        );
    }
    for (path, tokens) in [
        (format!("/api/stream?chat=alice:bob&access_token={short}"), 1),
        (
            format!("/api/stream?chat=alice:bob&access_token={short}&access_token={short}"),
            0,
        ),
        ("/api/me".into(), 2),
    ] {
        let mut request = confab.build(Method::GET, &path);
        for _ in 0..tokens {
            request = request.bearer_auth(&short);
        }
        let answer = TestResponse::to(request).await;
        assert_eq!(answer.problem(), (400, Value::Null), "{path}");
        assert!(
            answer.header("www-authenticate").contains("error=\"invalid_request\""),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_says_so() {
    let redis = Redis::start();
    let confab = required(&redis).variable("stream_lifetime_s", 20).start();
    // 30 seconds after it expires, a token is still good.
    let token = hs256(SECRET, &claims("alice", -28));
    with(
        &confab,
        Method::POST,
        "/api/send",
        &token,
        r#"{"chat":"alice:bob","text":"hi"}"#,
    )
    .await
    .ok();
    let began = Instant::now();
    let answer = with(&confab, Method::GET, "/api/stream?chat=alice:bob&cursor=0", &token, "").await;
    // Long before its lifetime is over.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let events = String::from_utf8(answer.body).unwrap();
    assert!(events.contains("\"text\":\"hi\""), "{events}");
    // The last event, with the id from which the client continues.
    let (_, last) = events.split_once("event: problem\nid: ").unwrap();
    let problem: Value = serde_json::from_str(last.rsplit("data: ").next().unwrap()).unwrap();
    assert_eq!(
        (&problem["type"], &problem["status"], &problem["detail"]),
        (
            &json!("/problems/unauthenticated"),
            &json!(401),
            &json!("the token has expired")
        )
    );
    // An EventSource comes back, and learns to give up.
    assert_eq!(
        with(&confab, Method::GET, "/api/stream?chat=alice:bob", &token, "")
            .await
            .status,
        401
    );
    assert_eq!(confab.log(), "");
}

#[tokio::test]
async fn keys_rotate_without_a_refused_request() {
    let redis = Redis::start();
    let (old, new) = ("o".repeat(32), "n".repeat(32));
    let both = format!("{old} {new}");
    // Two hosts, and the secret that the backend signs with: one thing changes at a time.
    for (first, second, signs) in [
        (&old, &old, &old),
        (&both, &old, &old),
        (&both, &both, &old),
        (&both, &both, &new),
        (&new, &both, &new),
        (&new, &new, &new),
    ] {
        for secrets in [first, second] {
            let confab = Confab::on(&redis).variable("auth", "required");
            let confab = confab.variable("auth_secret", secrets).start();
            let token = hs256(signs, &claims("alice", 60));
            let body = r#"{"chat":"alice:bob","text":"hi"}"#;
            with(&confab, Method::POST, "/api/send", &token, body).await.ok();
        }
    }
    assert_eq!(redis.command::<u64>(["XLEN", "confab:{alice:bob}:log"]).await, 12);
}
