//! Reads one Spin variable.

use crate::domain::error::Result;
use anyhow::Context as _;
use spin_sdk::variables;

/// The value of a variable. One that cannot be read is an [`Error::Internal`] that names it.
pub(super) async fn read(name: &str) -> Result<String> {
    let value = variables::get(name).await;
    Ok(value.with_context(|| format!("the variable {name} could not be read"))?)
}
