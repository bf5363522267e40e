//! A variable that cannot be used.

use crate::domain::error::Error;

/// A variable that cannot be used: its name, and what is wrong with its value. The value is not in it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the variable {variable} {reason}")]
pub struct ConfigProblem {
    /// The name of the variable.
    pub variable: &'static str,
    /// What it must be.
    pub reason: String,
}

impl ConfigProblem {
    /// A problem of this variable.
    pub(super) fn new(variable: &'static str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { variable, reason }
    }
}

impl From<ConfigProblem> for Error {
    fn from(problem: ConfigProblem) -> Self {
        Self::internal(problem.to_string())
    }
}
