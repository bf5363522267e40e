//! The variables whose values are texts: who may call, and which pages.

use crate::config::variable;
use crate::domain::error::Result;

/// A variable whose value is a text. Who uses it knows what it must be.
pub struct Text {
    /// Its name in `spin.toml`.
    pub name: &'static str,
    /// Its value if nobody sets it.
    pub default: &'static str,
    /// The values that it may have, in words.
    pub values: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Whether it must never be shown.
    pub secret: bool,
}

const AUTH: Text = Text {
    name: "auth",
    default: "open",
    values: "`open`, `required`",
    meaning: "Whether callers must prove who they are; open lets anybody do anything",
    secret: false,
};

const AUTH_SECRET: Text = Text {
    name: "auth_secret",
    default: "",
    values: "secret; 1 to 4, each of 32 to 512 visible ASCII characters",
    meaning: "What tokens are signed with by HS256; all of them are tried, so that they can rotate",
    secret: true,
};

const AUTH_KEYS: Text = Text {
    name: "auth_keys",
    default: "",
    values: "a JWK set of 1 to 16 keys",
    meaning: "The public keys of those who sign tokens by EdDSA, ES256 or RS256",
    secret: false,
};

const AUTH_AUDIENCE: Text = Text {
    name: "auth_audience",
    default: "",
    values: "text",
    meaning: "What the aud of tokens must be or contain; if it is empty, tokens with an aud are refused",
    secret: false,
};

const AUTH_ISSUER: Text = Text {
    name: "auth_issuer",
    default: "",
    values: "text",
    meaning: "What the iss of tokens must be; empty for any",
    secret: false,
};

const CORS_ORIGINS: Text = Text {
    name: "cors_origins",
    default: "",
    values: "origins with spaces between them, or `*`",
    meaning: "The pages of other origins that may call, as https://app.example; * lets all of them",
    secret: false,
};

/// Every variable whose value is a text, but those that `spin.toml` puts together to `redis_url`.
pub const TEXTS: [&Text; 6] = [
    &AUTH,
    &AUTH_SECRET,
    &AUTH_KEYS,
    &AUTH_AUDIENCE,
    &AUTH_ISSUER,
    &CORS_ORIGINS,
];

/// The pages of other origins that may call, as the variable has them, not checked yet.
pub(super) async fn cors_origins() -> Result<String> {
    variable::read(CORS_ORIGINS.name).await
}

/// Who may call, as the variables have it, not checked yet.
#[derive(Clone, Default)]
pub struct AuthSettings {
    /// `open` or `required`.
    pub auth: String,
    /// Secrets: never to be printed.
    pub secret: String,
    /// A JWK set.
    pub keys: String,
    /// For whom tokens must be.
    pub audience: String,
    /// By whom tokens must be.
    pub issuer: String,
}

impl AuthSettings {
    /// Reads them.
    pub(super) async fn read() -> Result<Self> {
        Ok(Self {
            auth: variable::read(AUTH.name).await?,
            secret: variable::read(AUTH_SECRET.name).await?,
            keys: variable::read(AUTH_KEYS.name).await?,
            audience: variable::read(AUTH_AUDIENCE.name).await?,
            issuer: variable::read(AUTH_ISSUER.name).await?,
        })
    }
}
