//! Reads a JSON object whose fields are those of a request.

use crate::domain::error::{Error, Field, Result};
use crate::http::field::{field_named, kind_of};
use serde::de::DeserializeOwned;

/// Reads a body that is a JSON object. Unknown fields are ignored. An error names the field at fault, if there is one.
pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    // Serde would also take an array, its values in the order of the fields.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(malformed("the body must be a JSON object".into()));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let fields = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = field_named(&error.path().to_string());
        let why = error.into_inner();
        match field {
            Some(field) if why.is_data() => Error::invalid(field, kind_of(field)),
            Some(field) => Error::invalid(field, format!("is not valid JSON: {why}")),
            None => malformed(format!("the body is not valid JSON: {why}")),
        }
    })?;
    json.end()
        .map_err(|why| malformed(format!("the body is not valid JSON: {why}")))?;
    Ok(fields)
}

/// The value of a field that must be there.
pub(super) fn required(field: Field, value: Option<String>) -> Result<String> {
    value.ok_or_else(|| Error::invalid(field, "is required"))
}

fn malformed(reason: String) -> Error {
    Error::Invalid { field: None, reason }
}
