//! Reads a JSON object whose fields are those of a request.

use crate::domain::error::{Error, Field, Result};
use crate::http::field::{Kind, kind_of, name_of, of_another_kind};
use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// The fields of a JSON object. Null is no value.
pub(super) struct Object(Vec<(Field, Option<Value>)>);

enum Value {
    Text(String),
    Number(u64),
    Truth(bool),
}

impl Object {
    /// Reads a body that is a JSON object. Fields that are not among `fields` are ignored. An error names the field at fault, if there
    /// is one.
    pub(super) fn parse(body: &[u8], fields: &[Field]) -> Result<Self> {
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(malformed("the body must be a JSON object".into()));
        }
        let mut json = serde_json::Deserializer::from_slice(body);
        let mut reader = Reader {
            fields,
            found: Vec::new(),
            at: None,
        };
        let read = json.deserialize_map(&mut reader).and_then(|()| json.end());
        read.map_err(|why| match reader.at {
            Some(field) if why.is_data() => of_another_kind(field),
            Some(field) => Error::invalid(field, format!("is not valid JSON: {why}")),
            None => malformed(format!("the body is not valid JSON: {why}")),
        })?;
        Ok(Self(reader.found))
    }

    /// Takes the value of a field that must be there.
    pub(super) fn required(&mut self, field: Field) -> Result<String> {
        self.text(field).ok_or_else(|| Error::invalid(field, "is required"))
    }

    /// Takes the value of a field that is a string.
    pub(super) fn text(&mut self, field: Field) -> Option<String> {
        match self.take(field)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Takes the value of a field that is a whole number.
    pub(super) fn number(&mut self, field: Field) -> Option<u64> {
        match self.take(field)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Takes the value of a field that is true or false.
    pub(super) fn truth(&mut self, field: Field) -> Option<bool> {
        match self.take(field)? {
            Value::Truth(truth) => Some(truth),
            _ => None,
        }
    }

    fn take(&mut self, field: Field) -> Option<Value> {
        let (_, value) = self.0.iter_mut().find(|(found, _)| *found == field)?;
        value.take()
    }
}

/// Reads the fields one by one. One visitor for all requests: serde's own, one for each, cost 20 kB.
struct Reader<'a> {
    fields: &'a [Field],
    found: Vec<(Field, Option<Value>)>,
    /// The field whose value is being read.
    at: Option<Field>,
}

impl<'de> Visitor<'de> for &mut Reader<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key::<String>()? {
            let mut fields = self.fields.iter().copied();
            let Some(field) = fields.find(|field| name_of(*field) == name) else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            if self.found.iter().any(|(found, _)| *found == field) {
                return Err(A::Error::duplicate_field(name_of(field)));
            }
            self.at = Some(field);
            let value = match kind_of(field) {
                Kind::Text => object.next_value::<Option<_>>()?.map(Value::Text),
                Kind::Number => object.next_value::<Option<_>>()?.map(Value::Number),
                Kind::Truth => object.next_value::<Option<_>>()?.map(Value::Truth),
            };
            self.at = None;
            self.found.push((field, value));
        }
        Ok(())
    }
}

fn malformed(reason: String) -> Error {
    Error::Invalid { field: None, reason }
}
