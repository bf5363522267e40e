//! Settings of identity that cannot be used: a deployment must never be open by a mistake.

use confab_kit::token::{SECRET, public_keys};
use confab_kit::{Confab, Redis};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn wrong_settings_are_a_500_that_names_the_variable_while_a_ping_is_answered() {
    let redis = Redis::start();
    let private = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA" }] }).to_string();
    let symmetric = json!({ "keys": [{ "kty": "oct", "k": "AA" }] }).to_string();
    let pem = format!("-----BEGIN-PUBLIC-KEY-----{SECRET}");
    let mut plain: Value = serde_json::from_str(&public_keys()).unwrap();
    plain["keys"][0].as_object_mut().unwrap().remove("kid");
    let three = json!({ "keys": vec![&plain["keys"][0]; 3] }).to_string();
    for (variables, named) in [
        (&[("auth", "required")][..], "auth is required"),
        (&[("auth", "on")], "auth must be open or required"),
        (&[("auth_secret", SECRET)], "auth_secret is set"),
        (&[("auth_keys", &public_keys())], "auth_keys is set"),
        (&[("auth_issuer", "x")], "auth_issuer is set"),
        (&[("auth", "required"), ("auth_secret", "short")], "auth_secret must"),
        (
            &[("auth", "required"), ("auth_secret", &pem)],
            "auth_secret must not be a key in PEM",
        ),
        (
            &[("auth", "required"), ("auth_keys", &private)],
            "auth_keys must have public keys only",
        ),
        (
            &[("auth", "required"), ("auth_keys", &symmetric)],
            "auth_keys must have public keys only",
        ),
        (
            &[("auth", "required"), ("auth_keys", "{}")],
            "auth_keys must be a JWK set",
        ),
        (
            &[("auth", "required"), ("auth_keys", &three)],
            "auth_keys has a third key of one kind without a kid",
        ),
        (
            &[("auth", "required"), ("auth_keys", &format!("\"{SECRET}\""))],
            "auth_keys must be a JWK set",
        ),
    ] {
        let mut builder = Confab::on(&redis);
        for (name, value) in variables {
            builder = builder.variable(name, value);
        }
        let confab = builder.start();
        let body = json!({ "chat": "a:b", "text": "hi", "sender": "a" }).to_string();
        for (method, path) in [
            (Method::POST, "/api/send"),
            (Method::GET, "/api/pull?chat=a:b"),
            (Method::GET, "/api/stream?chat=a:b"),
            (Method::GET, "/api/me"),
            (Method::GET, "/ready"),
        ] {
            let answer = confab.request(method, path, body.clone()).await;
            assert_eq!(answer.problem(), (500, Value::Null), "{path} {variables:?}");
        }
        confab.logged(&format!("the variable {named}")).await;
        assert!(!confab.log().contains(SECRET), "{}", confab.log());
        assert_eq!(confab.get("/ping").await.status, 200, "{variables:?}");
    }
    assert_eq!(redis.keys("*").await, Vec::<String>::new());
}
