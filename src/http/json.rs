//! Reads a JSON object whose fields are those of a request.

use crate::domain::error::{Error, Result};
use crate::http::field;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// Reads a body that is a JSON object. Fields that `T` does not have are ignored, and null is no value. An error names the field at
/// fault, if there is one.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    // Serde would also take an array, its values in the order of the fields.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(malformed("the body must be a JSON object".into()));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let name = match error.path().iter().next() {
            Some(Segment::Map { key }) => field::named(key),
            _ => None,
        };
        let why = error.inner();
        match name {
            Some(field) if why.is_data() => field::of_another_kind(field),
            Some(field) => Error::invalid(field, format!("is not valid JSON: {why}")),
            None => not_json(why),
        }
    })?;
    json.end().map_err(|why| not_json(&why))?;
    Ok(value)
}

fn not_json(why: &serde_json::Error) -> Error {
    malformed(format!("the body is not valid JSON: {why}"))
}

fn malformed(reason: String) -> Error {
    Error::Invalid { field: None, reason }
}
