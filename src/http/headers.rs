//! The headers of a request or an answer, as WASI has them: a list of names and values.

use spin_sdk::wasip3::http::types::{Fields, HeaderError};

/// Headers, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// The values of a header, in their order. The letter case of its name does not matter (RFC 9110, section 5.1).
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let named = self.0.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_slice())
    }

    /// The first value of a header.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// Gives a header this one value. One that no header may have, such as a line break, fails in [`Headers::into_fields`].
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Vec<u8>>) {
        self.0.retain(|(other, _)| other != name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// The headers as a resource of the host.
    pub(super) fn into_fields(self) -> Result<Fields, HeaderError> {
        Fields::from_list(&self.0)
    }
}

impl From<Vec<(String, Vec<u8>)>> for Headers {
    fn from(list: Vec<(String, Vec<u8>)>) -> Self {
        Self(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_its_values_in_any_letter_case() {
        let list = [("Accept", "a"), ("x", "b"), ("accept", "c")];
        let list = list.map(|(name, value)| (name.to_owned(), value.into()));
        let mut headers = Headers::from(list.to_vec());
        let all = |headers: &Headers, name| headers.all(name).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(all(&headers, "accept"), [b"a", b"c"]);
        assert_eq!(headers.get("ACCEPT"), Some(&b"a"[..]));
        assert_eq!(headers.get("accep"), None);
        headers.set("x", "d");
        headers.set("y", "e");
        assert_eq!(
            (all(&headers, "x"), all(&headers, "y")),
            (vec![b"d".to_vec()], vec![b"e".to_vec()])
        );
    }
}
