//! Reads a query string as HTML forms write it: percent-encoded UTF-8, `+` for a space.

use crate::domain::entry_id::decimal;
use crate::domain::error::{Error, Field, Result};
use crate::http::field::{name_of, of_another_kind};
use percent_encoding::percent_decode_str;

/// The fields of a query string, decoded.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query string.
    pub(super) fn parse(query: &str) -> Result<Self> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        });
        pairs.collect::<Result<_>>().map(Self)
    }

    /// The value of a field; `None` if it is not there.
    pub(super) fn text(&self, field: Field) -> Result<Option<&str>> {
        self.named(name_of(field), field)
    }

    /// The value of a field that has this name in a query string; `None` if it is not there.
    pub(super) fn named(&self, name: &str, field: Field) -> Result<Option<&str>> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        let value = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Error::invalid(field, "must be there only once")),
        }
    }

    /// The values of all fields that have this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(found, _)| found == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The value of a field that must be there.
    pub(super) fn required(&self, field: Field) -> Result<&str> {
        self.text(field)?.ok_or_else(|| Error::invalid(field, "is required"))
    }

    /// The value of a field that is a whole number.
    pub(super) fn number(&self, field: Field) -> Result<Option<u64>> {
        let number = |value| decimal(value).ok_or_else(|| of_another_kind(field));
        self.text(field)?.map(number).transpose()
    }

    /// The value of a field that is true or false.
    pub(super) fn truth(&self, field: Field) -> Result<Option<bool>> {
        let truth = |value: &str| value.parse().map_err(|_| of_another_kind(field));
        self.text(field)?.map(truth).transpose()
    }
}

fn decoded(encoded: &str) -> Result<String> {
    let spaced = encoded.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(String::from).map_err(|_| Error::Invalid {
        field: None,
        reason: "the query is not valid UTF-8".into(),
    })
}
