//! Reads one Spin variable.

use crate::domain::error::{Error, Result};
use spin_sdk::variables;

/// The value of a variable. One that cannot be read is an [`Error::Internal`] that names it.
pub(super) async fn read(name: &str) -> Result<String> {
    let value = variables::get(name).await;
    value.map_err(|why| Error::internal(format!("the variable {name} could not be read: {why}")))
}
