//! Access to a confab at a URL that asks who calls.

use crate::place::{Place, place, skip};
use crate::token::{claims, hs256};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use std::sync::OnceLock;

/// A name for the token's `sub`: with its scope, the token may name any sender and read any chat.
const NAME: &str = "conformance";

/// The token of each request to a URL: `TOKEN`, or one that `AUTH_SECRET` signs. Both need the scope `confab:service`.
pub(crate) fn token() -> Option<&'static str> {
    static TOKEN: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let Place::Url(_) = place() else { return None };
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        variable("TOKEN").or_else(|| Some(service_token(&variable("AUTH_SECRET")?)))
    };
    TOKEN.get_or_init(read).as_deref()
}

fn service_token(secret: &str) -> String {
    let mut claims = claims(NAME, 3600);
    claims["scope"] = json!("confab:service");
    // A deployment may have several secrets, of which any will do.
    hs256(secret.split(' ').next().unwrap(), &claims)
}

/// The request with the token, if there is one.
pub(crate) fn with_token(request: RequestBuilder) -> RequestBuilder {
    match token() {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

/// Skips this test if its request to a URL was refused for want of a token.
pub(crate) fn check(status: StatusCode) {
    if matches!(place(), Place::Url(_)) && token().is_none() && status == StatusCode::UNAUTHORIZED {
        skip("it needs TOKEN= or AUTH_SECRET=: this confab asks who calls");
    }
}

/// Skips a test that writes its requests itself if they would need a token: `scripts/e2e` finds out first, and sets `CONFAB_ASKS`.
pub(crate) fn not_with_tokens() {
    if token().is_some() || std::env::var_os("CONFAB_ASKS").is_some() {
        skip("it speaks HTTP/1.1 itself, without a token");
    }
}
