//! Who calls: the bearer token of a request (RFC 6750), in its header, or in the query of a stream or an export.

use crate::config;
use crate::domain::caller::{Caller, LEEWAY};
use crate::domain::error::{Error, Result};
use crate::domain::refusal::Refusal;
use crate::http::headers::Headers;
use crate::http::query::Query;
use crate::identity;
use std::time::{Duration, SystemTime};

/// The parameter of a query that is a token.
const ACCESS_TOKEN: &str = "access_token";

/// How long a token in a query may still be good: queries are kept in logs and histories.
const MAX_IN_QUERY: Duration = Duration::from_mins(5);

/// Whom a route answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Admission {
    /// Everybody.
    Anybody,
    /// Who has a token in a header, if the deployment requires one.
    Callers,
    /// Who has a token in a header or in the query, as an `EventSource` and a browser's download cannot send headers, if the deployment
    /// requires one.
    CallersByQuery,
}

/// The caller whom the request's token proves; anybody, if the route or the deployment asks for no token. Fails with
/// [`Error::Unauthenticated`] or [`Error::TwoTokens`], or with [`Error::Internal`] if the settings cannot be used.
pub(super) async fn caller(admission: Admission, query: &str, headers: &Headers) -> Result<Caller> {
    if admission == Admission::Anybody {
        return Ok(Caller::anybody());
    }
    let config = config::get().await?;
    let Some(auth) = &config.auth else {
        return Ok(Caller::anybody());
    };
    let refused = |why| Error::Unauthenticated(Some(why));
    let token = find(query, headers)?.ok_or(Error::Unauthenticated(None))?;
    let now = SystemTime::now();
    match token {
        Token::InHeader(token) => identity::verify(auth, &token, now).map_err(refused),
        Token::InQuery(_) if admission != Admission::CallersByQuery => Err(refused(Refusal::NotInQuery)),
        Token::InQuery(token) => {
            let caller = identity::verify(auth, &token, now).map_err(refused)?;
            if is_short(&caller, now) {
                Ok(caller)
            } else {
                Err(refused(Refusal::LongInQuery))
            }
        }
    }
}

/// Whether the caller's token may be in a query: it expires within [`MAX_IN_QUERY`], by the clock of an issuer that is [`LEEWAY`] behind or
/// ahead.
fn is_short(caller: &Caller, now: SystemTime) -> bool {
    let latest = MAX_IN_QUERY
        .checked_add(LEEWAY)
        .and_then(|longest| now.checked_add(longest));
    caller.expires() <= latest
}

/// A token, and where it came.
#[derive(Debug, PartialEq)]
enum Token {
    InHeader(String),
    InQuery(String),
}

/// The one token of a request. Another scheme than `Bearer` counts as none.
fn find(query: &str, headers: &Headers) -> Result<Option<Token>> {
    let in_headers = headers.all("authorization").filter_map(bearer).map(Token::InHeader);
    let mut tokens: Vec<_> = in_headers.collect();
    if query.contains(ACCESS_TOKEN) {
        // A query that cannot be read has no token, and is refused after the caller is known.
        let query = Query::parse(query).ok();
        let values = query.iter().flat_map(|query| query.all(ACCESS_TOKEN));
        tokens.extend(values.map(|token| Token::InQuery(token.to_owned())));
    }
    match tokens.len() {
        0 | 1 => Ok(tokens.pop()),
        _ => Err(Error::TwoTokens),
    }
}

/// The token of a header `Authorization`; `None` if its scheme is another one. The scheme's letter case does not matter.
fn bearer(value: &[u8]) -> Option<String> {
    let value = String::from_utf8_lossy(value);
    let (scheme, token) = value.split_once(' ').unwrap_or((&value, ""));
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start_matches(' ').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_query_has_five_minutes_and_the_leeway_of_clocks() {
        let now = SystemTime::UNIX_EPOCH;
        for (seconds, short) in [(1, true), (300, true), (301, true), (330, true), (331, false)] {
            let alice = Caller::person("alice".into()).unwrap();
            let alice = alice.until(now + Duration::from_secs(seconds));
            assert_eq!(is_short(&alice, now), short, "{seconds}");
        }
    }

    #[test]
    fn a_request_has_one_token() {
        let found = |query: &str, values: &[&str]| {
            let header = |value: &&str| ("Authorization".to_owned(), value.as_bytes().to_vec());
            let headers: Vec<_> = values.iter().map(header).collect();
            find(query, &headers.into())
        };
        let in_header = |token: &str| Ok(Some(Token::InHeader(token.into())));
        let in_query = |token: &str| Ok(Some(Token::InQuery(token.into())));
        for (query, values, token) in [
            ("", &[][..], Ok(None)),
            ("", &["Basic YTpi"], Ok(None)),
            ("", &["Bearertoken"], Ok(None)),
            ("chat=access_token", &[], Ok(None)),
            ("access_token=%ff", &[], Ok(None)),
            ("", &["Bearer t"], in_header("t")),
            ("", &["bEARER   t"], in_header("t")),
            ("", &["Bearer"], in_header("")),
            ("", &["Bearer t u"], in_header("t u")),
            ("", &["Basic YTpi", "Bearer t"], in_header("t")),
            ("chat=a:b&access_token=t%2e", &[], in_query("t.")),
            ("access_token", &[], in_query("")),
            ("access_token=t", &["Bearer t"], Err(Error::TwoTokens)),
            (
                "access_token=t&access%5ftoken=t&access_token=",
                &[],
                Err(Error::TwoTokens),
            ),
            ("", &["Bearer t", "Bearer t"], Err(Error::TwoTokens)),
        ] {
            assert_eq!(found(query, values), token, "{query} {values:?}");
        }
    }
}
