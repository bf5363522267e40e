//! What a message has besides its text: a JSON object that is the app's own.

use crate::domain::error::{Error, Field, Result};
use serde_json::value::RawValue;

/// The most bytes of a message's data, as it is stored.
pub const MAX_DATA_BYTES: usize = 4 * 1024;

/// How deep objects and arrays may stand in one another, the object itself included.
const MAX_DEPTH: u32 = 32;

/// A JSON object (RFC 8259) without white space outside of its strings: its members in their order, repeated ones too, and its numbers
/// digit by digit. It has no character at which a reader of server-sent events may split a line, and no half of a surrogate pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data(String);

impl Data {
    /// Parses an object of at most [`MAX_DATA_BYTES`] without its white space, at most 32 deep.
    pub fn parse(json: &str) -> Result<Self> {
        // What serde_json passes over without a type, it checks for its grammar alone.
        let json: &RawValue = serde_json::from_str(json)
            .map_err(|why| Error::invalid(Field::Data, format!("is not valid JSON: {why}")))?;
        let json = json.get();
        if !json.starts_with('{') {
            return Err(Error::invalid(Field::Data, "must be a JSON object"));
        }
        let compact = compact(json).map_err(|why| Error::invalid(Field::Data, why))?;
        if compact.len() > MAX_DATA_BYTES {
            return Err(Error::TooLarge {
                field: Some(Field::Data),
                limit: MAX_DATA_BYTES,
            });
        }
        Ok(Self(compact))
    }

    /// The JSON, owned.
    pub fn into_json(self) -> String {
        self.0
    }

    /// The JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Valid JSON as it is stored.
fn compact(json: &str) -> Result<String, &'static str> {
    let mut compact = String::with_capacity(json.len().min(MAX_DATA_BYTES));
    let mut depth: u32 = 0;
    let mut rest = json;
    while let Some(character) = rest.chars().next() {
        if character == '"' {
            rest = string(rest, &mut compact)?;
            continue;
        }
        match character {
            '{' | '[' => depth = depth.saturating_add(1),
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err("must be at most 32 deep");
        }
        if !character.is_ascii_whitespace() {
            compact.push(character);
        }
        rest = after(rest, character);
    }
    Ok(compact)
}

/// Copies the string with which valid JSON begins, and returns what follows it.
fn string<'a>(json: &'a str, compact: &mut String) -> Result<&'a str, &'static str> {
    compact.push('"');
    let mut rest = after(json, '"');
    // Whether the escape before was the first half of a surrogate pair.
    let mut is_half = false;
    loop {
        let escape = rest.strip_prefix("\\u").and_then(|digits| digits.get(..4));
        let unit = escape.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let is_second = unit.is_some_and(|unit| (0xdc00..=0xdfff).contains(&unit));
        if is_half != is_second {
            return Err("must have no half of a surrogate pair");
        }
        is_half = unit.is_some_and(|unit| (0xd800..=0xdbff).contains(&unit));
        let Some(character) = rest.chars().next() else {
            return Ok(rest);
        };
        rest = after(rest, character);
        match character {
            '"' => {
                compact.push('"');
                return Ok(rest);
            }
            '\\' => {
                // One character more, so that a quote or a backslash does not count.
                let escaped = rest.chars().next().unwrap_or_default();
                compact.extend(['\\', escaped]);
                rest = after(rest, escaped);
            }
            '\u{85}' => compact.push_str("\\u0085"),
            '\u{2028}' => compact.push_str("\\u2028"),
            '\u{2029}' => compact.push_str("\\u2029"),
            other => compact.push(other),
        }
        if unit.is_some() {
            let digits = escape.unwrap_or_default();
            compact.push_str(digits);
            rest = rest.get(digits.len()..).unwrap_or_default();
        }
    }
}

fn after(text: &str, first: char) -> &str {
    text.get(first.len_utf8()..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{fuzz, near};

    #[test]
    fn data_keeps_all_but_its_white_space() {
        for (json, stored) in [
            ("{}", "{}"),
            (" {\r\n\t\"a\" : [ 1 , \"b c\" ] }\n", r#"{"a":[1,"b c"]}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#),
            (
                r#"{"n":[1e400,12345678901234567890,-0.0,1E+2]}"#,
                r#"{"n":[1e400,12345678901234567890,-0.0,1E+2]}"#,
            ),
            (
                r#"{"\u00e9\/\"\\":"\ud83d\uDE00 😀\n"}"#,
                r#"{"\u00e9\/\"\\":"\ud83d\uDE00 😀\n"}"#,
            ),
            (r#"{"a":"\\ud800 \\\" {[ }"}"#, r#"{"a":"\\ud800 \\\" {[ }"}"#),
            (
                "{\"a\":\"\u{85}\u{2028}\u{2029}\u{7f}\"}",
                "{\"a\":\"\\u0085\\u2028\\u2029\u{7f}\"}",
            ),
        ] {
            assert_eq!(Data::parse(json).unwrap().as_str(), stored);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        let long = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(Data::parse(&nested(32)).is_ok());
        assert!(Data::parse(&long(MAX_DATA_BYTES)).is_ok());
        assert!(matches!(
            Data::parse(&long(MAX_DATA_BYTES + 1)),
            Err(Error::TooLarge { .. })
        ));
        for (json, why) in [
            ("[]", "must be a JSON object"),
            ("\"{}\"", "must be a JSON object"),
            ("1", "must be a JSON object"),
            ("", "is not valid JSON"),
            ("{", "is not valid JSON"),
            ("{}{}", "is not valid JSON"),
            ("{\"a\":01}", "is not valid JSON"),
            ("{\"a\":\"\u{1}\"}", "is not valid JSON"),
            (r#"{"a":"\ud800"}"#, "surrogate"),
            (r#"{"a":"\ud800x\udc00"}"#, "surrogate"),
            (r#"{"a":"\ud800\n"}"#, "surrogate"),
            (r#"{"a":"\ud800\ud800\udc00"}"#, "surrogate"),
            (r#"{"\udc00":1}"#, "surrogate"),
            (&nested(33), "at most 32 deep"),
            (&nested(10_000), "at most 32 deep"),
        ] {
            let error = Data::parse(json).unwrap_err().to_string();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn fuzz_data() {
        let near = near(&[
            "{\"a\":[1,\"b\"]}",
            "{\"\\ud83d\\ude00\":\"\\\\\"}",
            "{\"a\":\"\\u",
            "\u{2028}",
        ]);
        fuzz("data", &near, |json| {
            let Ok(data) = Data::parse(&String::from_utf8_lossy(&json)) else {
                return;
            };
            assert_eq!(Data::parse(data.as_str()).as_ref(), Ok(&data));
            let strict: Result<serde_json::Value, _> = serde_json::from_str(data.as_str());
            // serde_json refuses half a pair in what it reads, and numbers that no f64 has.
            assert!(
                strict.is_ok_and(|value| value.is_object())
                    || data.as_str().contains('e')
                    || data.as_str().contains('E')
            );
        });
    }
}
