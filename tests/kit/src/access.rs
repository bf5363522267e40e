//! Access to a confab at a URL that asks who calls.

use crate::Confab;
use crate::place::{Place, place, skip};
use crate::token::{SECRET, claims, hs256, public_keys};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use std::sync::OnceLock;

/// A name for the token's `sub`: with its scope, the token may name any sender and read any chat.
const NAME: &str = "conformance";

/// The token of each request to a URL: `TOKEN`, or one that `AUTH_SECRET` signs. Both need the scope `confab:service`.
pub(crate) fn token() -> Option<&'static str> {
    static TOKEN: OnceLock<Option<String>> = OnceLock::new();
    let read = || variable("TOKEN").or_else(|| Some(service_token(&secret()?)));
    TOKEN.get_or_init(read).as_deref()
}

/// A variable of whoever has the URL under test checked.
fn variable(name: &str) -> Option<String> {
    let Place::Url(_) = place() else { return None };
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A deployment may have several secrets, of which any will do.
fn secret() -> Option<String> {
    variable("AUTH_SECRET").and_then(|secrets| secrets.split(' ').next().map(str::to_owned))
}

fn service_token(secret: &str) -> String {
    let mut claims = claims(NAME, 3600);
    claims["scope"] = json!("confab:service");
    hs256(secret, &claims)
}

/// The request with a token of this person's own, if the URL under test needs one: a service's sends leave the sender's mark.
pub(crate) fn as_person(request: RequestBuilder, name: &str) -> RequestBuilder {
    match (token(), secret()) {
        (None, _) => request,
        (Some(_), Some(secret)) => request.bearer_auth(hs256(&secret, &claims(name, 3600))),
        (Some(_), None) => skip("it needs AUTH_SECRET=, to send in each person's own name"),
    }
}

impl Confab {
    /// A confab that asks who calls; its tokens are those of [`SECRET`] and of [`public_keys`], but at a URL.
    pub async fn asking() -> Self {
        let builder = Self::anywhere().prefer("auth", "required");
        let builder = builder.prefer("auth_secret", SECRET);
        let confab = builder.prefer("auth_keys", public_keys()).start();
        let answer = confab.without_token(Method::GET, "/api/me").send().await.unwrap();
        if answer.status() != StatusCode::UNAUTHORIZED {
            skip("it needs a confab that asks who calls");
        }
        confab
    }
}

/// The request with the token, if there is one.
pub(crate) fn with_token(request: RequestBuilder) -> RequestBuilder {
    match token() {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

/// Skips this test if its request to a URL was refused for want of a token.
pub(crate) fn check(status: u16) {
    if matches!(place(), Place::Url(_)) && token().is_none() && status == StatusCode::UNAUTHORIZED.as_u16() {
        skip("it needs TOKEN= or AUTH_SECRET=: this confab asks who calls");
    }
}

/// Skips a test that writes its requests itself if they would need a token: `scripts/e2e` finds out first, and sets `CONFAB_ASKS`.
pub(crate) fn not_with_tokens() {
    if token().is_some() || std::env::var_os("CONFAB_ASKS").is_some() {
        skip("it speaks HTTP/1.1 itself, without a token");
    }
}
