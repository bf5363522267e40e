//! `scripts/token`: what it prints proves the name that it was given.

use confab_kit::token::SECRET;
use confab_kit::{Confab, Redis, TestResponse, component::project};
use reqwest::Method;
use std::process::{Command, Output};

/// Runs the script with these arguments, and with these variables beside the secrets.
fn run(arguments: &[&str], secrets: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(project().join("scripts/token"));
    command.args(arguments).env("SPIN_VARIABLE_AUTH_SECRET", secrets);
    for (name, value) in variables {
        command.env(format!("SPIN_VARIABLE_{name}"), value);
    }
    command.output().unwrap()
}

/// Whom the script's token proves to this confab: the status and the name.
async fn proven(confab: &Confab, run: Output) -> (u16, Option<String>) {
    assert!(run.status.success(), "{run:?}");
    let token = String::from_utf8(run.stdout).unwrap();
    let request = confab.build(Method::GET, "/api/me").bearer_auth(token.trim_end());
    let answer = TestResponse::to(request).await;
    (answer.status, answer.json()["name"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn a_token_of_the_script_proves_the_name_that_it_was_given() {
    let redis = Redis::start();
    let builder = Confab::on(&redis).variable("auth", "required");
    let confab = builder.variable("auth_secret", SECRET).start();
    for (name, form) in [
        ("alice", "alice"),
        ("Ὀδυσσεύς", "ὀδυσσεύσ"),
        ("a \"quoted\" \\ name", "a \"quoted\" \\ name"),
        ("$(x) `y` %s", "$(x) `y` %s"),
    ] {
        let run = run(&[name], SECRET, &[]);
        assert_eq!(proven(&confab, run).await, (200, Some(form.to_owned())));
    }
    let other = "another-secret-of-more-than-32-bytes";
    let first = format!("{SECRET} {other}");
    assert_eq!(proven(&confab, run(&["a"], &first, &[])).await.0, 200);
    assert_eq!(proven(&confab, run(&["a"], other, &[])).await.0, 401);
    // 30 s of leeway are not over yet.
    assert_eq!(proven(&confab, run(&["a", "--for", "0"], SECRET, &[])).await.0, 200);
    confab.set_clock(31);
    assert_eq!(proven(&confab, run(&["a", "--for", "0"], SECRET, &[])).await.0, 401);
    assert_eq!(proven(&confab, run(&["a", "--for", "5"], SECRET, &[])).await.0, 200);
}

#[tokio::test]
async fn a_token_of_the_script_is_for_the_deployment_of_its_variables() {
    let redis = Redis::start();
    let builder = Confab::on(&redis).variable("auth", "required");
    let builder = builder.variable("auth_secret", SECRET);
    let confab = builder
        .variable("auth_audience", "us")
        .variable("auth_issuer", "it")
        .start();
    for (audience, issuer, status) in [
        ("us", "it", 200),
        ("them", "it", 401),
        ("us", "them", 401),
        ("", "", 401),
    ] {
        let run = run(&["a"], SECRET, &[("AUTH_AUDIENCE", audience), ("AUTH_ISSUER", issuer)]);
        assert_eq!(proven(&confab, run).await.0, status, "{audience} {issuer}");
    }
}

#[test]
fn without_a_secret_or_with_wrong_arguments_it_says_how_it_is_used() {
    for (arguments, secret) in [
        (&["a"][..], ""),
        (&[], SECRET),
        (&["a", "b"], SECRET),
        (&["a", "--for"], SECRET),
        (&["a", "--for", "soon"], SECRET),
    ] {
        let run = run(arguments, secret, &[]);
        assert_eq!(run.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(run.stderr).unwrap().contains("usage:") && run.stdout.is_empty());
    }
}
