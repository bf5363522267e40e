//! The variables whose values are texts: where Redis is, who may call, and which pages.

/// A variable whose value is a text.
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

pub(super) const REDIS_HOST: Text = Text {
    name: "redis_host",
    default: "127.0.0.1:6379",
    values: "host and port",
    meaning: "Where Redis is; both are required",
    secret: false,
};

pub(super) const REDIS_NODES: Text = Text {
    name: "redis_nodes",
    default: "",
    values: "one entry of `allowed_outbound_hosts`",
    meaning: "Where the other nodes of a Redis Cluster are, as in `redis://10.0.0.0/8:6379` or `rediss://*.cache.example:6379`",
    secret: false,
};

pub(super) const REDIS_SEED_TWO: Text = Text {
    name: "redis_seed_two",
    default: "",
    values: "one Redis, as an entry of `allowed_outbound_hosts`",
    meaning: "Another node of a Redis Cluster to begin at if `redis_host` is away, as in `redis://10.0.0.6:6379`",
    secret: false,
};

pub(super) const REDIS_SEED_THREE: Text = Text {
    name: "redis_seed_three",
    default: "",
    values: "one Redis, as an entry of `allowed_outbound_hosts`",
    meaning: "A third node to begin at",
    secret: false,
};

pub(super) const REDIS_CREDENTIALS: Text = Text {
    name: "redis_credentials",
    default: "",
    values: "secret",
    meaning: "`user:password` or `:password`, percent-encoded",
    secret: true,
};

pub(super) const REDIS_SCHEME: Text = Text {
    name: "redis_scheme",
    default: "redis",
    values: "`redis`, `rediss`",
    meaning: "`rediss` for TLS",
    secret: false,
};

/// Every variable that says where Redis is.
pub const REDIS: [&Text; 6] = [
    &REDIS_HOST,
    &REDIS_SEED_TWO,
    &REDIS_SEED_THREE,
    &REDIS_NODES,
    &REDIS_CREDENTIALS,
    &REDIS_SCHEME,
];

pub(super) const AUTH: Text = Text {
    name: "auth",
    default: "open",
    values: "`open`, `required`",
    meaning: "Whether callers must prove who they are; open lets anybody do anything",
    secret: false,
};

pub(super) const AUTH_SECRET: Text = Text {
    name: "auth_secret",
    default: "",
    values: "secret; 1 to 4, each of 32 to 512 visible ASCII characters",
    meaning: "What tokens are signed with by HS256; all of them are tried, so that they can rotate",
    secret: true,
};

pub(super) const AUTH_KEYS: Text = Text {
    name: "auth_keys",
    default: "",
    values: "a JWK set of 1 to 16 keys",
    meaning: "The public keys of those who sign tokens by EdDSA, ES256 or RS256",
    secret: false,
};

pub(super) const AUTH_AUDIENCE: Text = Text {
    name: "auth_audience",
    default: "",
    values: "text",
    meaning: "What the aud of tokens must be or contain; if it is empty, tokens with an aud are refused",
    secret: false,
};

pub(super) const AUTH_ISSUER: Text = Text {
    name: "auth_issuer",
    default: "",
    values: "text",
    meaning: "What the iss of tokens must be; empty for any",
    secret: false,
};

pub(super) const FIRST_MESSAGE: Text = Text {
    name: "first_message",
    default: "anyone",
    values: "`anyone`, `service`",
    meaning: "With service, a person may send only in a chat that the app's own service has opened",
    secret: false,
};

pub(super) const CORS_ORIGINS: Text = Text {
    name: "cors_origins",
    default: "",
    values: "origins with spaces between them, or `*`",
    meaning: "The pages of other origins that may call, as https://app.example; * lets all of them",
    secret: false,
};

/// Every variable of identity and pages.
pub const TEXTS: [&Text; 7] = [
    &AUTH,
    &AUTH_SECRET,
    &AUTH_KEYS,
    &AUTH_AUDIENCE,
    &AUTH_ISSUER,
    &FIRST_MESSAGE,
    &CORS_ORIGINS,
];
