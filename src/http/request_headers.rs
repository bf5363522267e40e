//! The grammar of the request headers that confab reads.

use crate::domain::error::{Error, Field, Result};
use crate::domain::idempotency_key::IdempotencyKey;
use crate::http::headers::Headers;

/// Reads `Idempotency-Key`: a string of RFC 9651, as in the IETF's draft, or the bare characters, as most clients send it. `"k"`
/// and `k` are one key.
pub(super) fn idempotency_key(headers: &Headers) -> Result<Option<IdempotencyKey>> {
    let Some(value) = only(headers, "idempotency-key", Field::IdempotencyKey)? else {
        return Ok(None);
    };
    let key = str::from_utf8(value).ok().and_then(unquoted).ok_or_else(|| {
        let reason = "must be one string in double quotes, or one bare word";
        Error::invalid(Field::IdempotencyKey, reason)
    })?;
    IdempotencyKey::parse(key).map(Some)
}

/// Reads `Last-Event-ID`. An empty one counts as absent (WHATWG HTML, section 9.2.4).
pub(super) fn last_event_id(headers: &Headers) -> Result<Option<&[u8]>> {
    let id = only(headers, "last-event-id", Field::LastEventId)?;
    Ok(id.filter(|id| !id.is_empty()))
}

/// Reads `traceparent` (W3C Trace Context), for the server log.
pub(super) fn traceparent(headers: &Headers) -> Option<&[u8]> {
    headers.get("traceparent")
}

/// Whether `Content-Encoding` names anything but `identity` (RFC 9110, section 8.4).
pub(super) fn is_encoded(headers: &Headers) -> bool {
    let values = headers.all("content-encoding");
    let mut codings = values.flat_map(|value| value.split(|byte| *byte == b','));
    codings.any(|coding| {
        let coding = coding.trim_ascii();
        !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
    })
}

/// The value of a header that may be there once.
fn only<'a>(headers: &'a Headers, name: &'static str, field: Field) -> Result<Option<&'a [u8]>> {
    let mut values = headers.all(name);
    let value = values.next();
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Error::invalid(field, "must be there only once")),
    }
}

/// The characters of a string of RFC 9651 (section 3.3.3), or of a word that has none of the characters that end one in a header.
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else {
        return (!value.contains(['"', '\\', ',', ';'])).then(|| value.to_owned());
    };
    let mut characters = rest.strip_suffix('"')?.chars();
    let mut string = String::new();
    while let Some(character) = characters.next() {
        string.push(match character {
            '"' => return None,
            '\\' => characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?,
            other => other,
        });
    }
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};

    fn all(name: &str, values: &[&str]) -> Headers {
        let values = values.iter().map(|value| (name.to_owned(), value.as_bytes().to_vec()));
        values.collect::<Vec<_>>().into()
    }

    #[test]
    fn an_idempotency_key_is_a_quoted_string_or_a_bare_word() {
        let read = |values: &[&str]| idempotency_key(&all("Idempotency-Key", values));
        assert_eq!(read(&[]), Ok(None));
        let uuid = "8e03978e-40d5-43e8-bc93-6894a57f9324";
        for (value, key) in [
            ("\"k\"", "k"),
            ("k", "k"),
            (r#""a\"b\\c;d,""#, r#"a"b\c;d,"#),
            (uuid, uuid),
            ("a/b+c==", "a/b+c=="),
        ] {
            let expected = IdempotencyKey::parse(key.into()).unwrap();
            assert_eq!(read(&[value]), Ok(Some(expected)), "{value}");
        }
        for values in [
            &[""][..],
            &["\"\""],
            &["\""],
            &["\"k"],
            &["k\""],
            &["\"a\"b\""],
            &[r#""a\""#],
            &[r#""a\b""#],
            &["\"k\";x=1"],
            &["k, l"],
            &["a b"],
            &["\"a b\""],
            &["k", "k"],
        ] {
            let error = read(values).unwrap_err();
            let named = matches!(
                &error,
                Error::Invalid {
                    field: Some(Field::IdempotencyKey),
                    ..
                }
            );
            assert!(named, "{values:?}: {error:?}");
        }
    }

    #[test]
    fn only_identity_is_no_encoding() {
        let encoded = |values: &[&str]| is_encoded(&all("Content-Encoding", values));
        for values in [
            &[][..],
            &[""],
            &["identity"],
            &["Identity, "],
            &["identity", "identity"],
        ] {
            assert!(!encoded(values), "{values:?}");
        }
        for values in [
            &["gzip"][..],
            &["x"],
            &["identity, br"],
            &["identity", "deflate"],
            &["identity;q=1"],
        ] {
            assert!(encoded(values), "{values:?}");
        }
    }

    #[test]
    fn fuzz_idempotency_keys() {
        fuzz("idempotency keys", &near(&["k", "\"k\"", r#""a\"b\\c""#]), |value| {
            let mut headers = Headers::default();
            headers.set("idempotency-key", value);
            if let Ok(Some(key)) = idempotency_key(&headers) {
                // A key that was read is read again from the one way to write it.
                let quoted = format!("\"{}\"", key.as_str().replace('\\', r"\\").replace('"', r#"\""#));
                headers.set("idempotency-key", quoted);
                assert_eq!(idempotency_key(&headers), Ok(Some(key)));
            }
        });
    }
}
