//! Why a token proves nobody.

/// Why a token proves nobody. Its text is for the client: printable ASCII without quotes and backslashes (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not three parts of base64url with JSON in the first two, or is longer than 4096 bytes.
    #[error("the token is malformed")]
    Malformed,
    /// Its header asks for what confab does not do: another type, or an extension.
    #[error("the token's header is not supported")]
    Header,
    /// No key has its `kid`, or its algorithm.
    #[error("no key of the token's kid and alg is known")]
    Key,
    /// No key that it may be signed with made its signature.
    #[error("the token's signature does not match")]
    Signature,
    /// A claim is missing, is there twice, or has a wrong type.
    #[error("the token's claims are malformed")]
    Claims,
    /// Its `exp` is over, with leeway.
    #[error("the token has expired")]
    Expired,
    /// Its `nbf` is still to come, with leeway.
    #[error("the token is not valid yet")]
    Early,
    /// It is for somebody else.
    #[error("the token's audience is another")]
    Audience,
    /// It is from somebody else.
    #[error("the token's issuer is another")]
    Issuer,
    /// Its `sub` is no name.
    #[error("the token's sub is no name: 1 to 64 characters without a colon")]
    Subject,
    /// Its `chat` is no chat.
    #[error("the token's chat is not two names")]
    Chat,
    /// It came in the query string of a route that does not stream.
    #[error("a token in the query is for streams only")]
    NotInQuery,
    /// It came in the query string and is good for longer than a token there may be.
    #[error("a token in the query must expire within 300 seconds")]
    LongInQuery,
}
