//! Variables that cannot be right say so: each is a 500 that names it, and what it holds stays out of the server log.

use confab_kit::token::{SECRET, claims, hs256};
use confab_kit::{Confab, Redis};
use reqwest::Method;
use serde_json::{Value, json};

const PASSWORD: &str = "hunter2";

#[tokio::test]
async fn an_address_that_cannot_be_right_is_a_500_that_names_the_variable() {
    let redis = Redis::start();
    let place = confab_kit::Endpoint::host(&redis);
    let (_, port) = place.rsplit_once(':').unwrap();
    for (host, others, named) in [
        ("127.0.0.1", &[][..], "redis_host must be a host and a port"),
        ("", &[], "redis_host must"),
        ("hunter2", &[], "redis_host must"),
        (&format!("user:hunter2@127.0.0.1:{port}"), &[], "redis_host must"),
        (&format!(":hunter2@127.0.0.1:{port}"), &[], "redis_host must"),
        (&format!("redis://127.0.0.1:{port}"), &[], "redis_host must"),
        (&format!("127.0.0.1:{port}/0"), &[], "redis_host must"),
        (&place, &[("redis_nodes", "x")], "redis_nodes must be one entry"),
        (
            &place,
            &[("redis_nodes", "redis://10.0.0.0/33:6379")],
            "redis_nodes must",
        ),
        (
            &place,
            &[("redis_nodes", "redis://user:hunter2@10.0.0.1:6379")],
            "redis_nodes must",
        ),
        (
            &place,
            &[("redis_credentials", ":hunter2/")],
            "redis_credentials must be user:password",
        ),
        (
            &place,
            &[("redis_scheme", "hunter2")],
            "redis_scheme must be redis or rediss",
        ),
    ] {
        let mut builder = Confab::on(host);
        for (name, value) in others {
            builder = builder.variable(name, value);
        }
        let confab = builder.start();
        let body = json!({ "chat": "a:b", "text": "hi", "sender": "a" }).to_string();
        for (method, path) in [
            (Method::POST, "/api/send"),
            (Method::GET, "/api/pull?chat=a:b"),
            (Method::GET, "/api/stream?chat=a:b"),
            (Method::GET, "/ready"),
        ] {
            let answer = confab.request(method, path, body.clone()).await;
            assert_eq!(answer.problem(), (500, Value::Null), "{path} {host} {others:?}");
            assert!(!String::from_utf8_lossy(&answer.body).contains(PASSWORD));
        }
        confab.logged(&format!("the variable {named}")).await;
        assert!(!confab.log().contains(PASSWORD), "{}", confab.log());
        assert_eq!(confab.get("/ping").await.status, 200);
    }
    assert_eq!(redis.keys("*").await, Vec::<String>::new());
}

/// As Kubernetes mounts secrets.
#[tokio::test]
async fn a_newline_at_the_end_of_a_value_does_not_count() {
    let redis = Redis::start();
    let place = confab_kit::Endpoint::host(&redis);
    let confab = Confab::on(&*format!("{place}\n"))
        .variable("redis_credentials", "\n")
        .variable("redis_nodes", "\n")
        .variable("redis_scheme", "redis\n")
        .variable("redis_timeout_ms", " 2000\r\n")
        .variable("auth", "required\n")
        .variable("auth_secret", format!("{SECRET}\n"))
        .variable("auth_audience", "confab\n")
        .variable("auth_issuer", "https://issuer.example\n")
        .variable("cors_origins", "*\n")
        .start();
    let mut claims = claims("alice", 60);
    claims["aud"] = json!("confab");
    claims["iss"] = json!("https://issuer.example");
    confab
        .send_as(&hs256(SECRET, &claims), "alice:bob", "hi", None)
        .await
        .ok();
    assert_eq!(confab.get("/ready").await.status, 200, "{}", confab.log());
    assert_eq!(confab.log(), "");
}
