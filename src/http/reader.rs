//! Whose inbox or mark a request is about.

use crate::domain::error::{Error, Field, Result};
use crate::domain::member::Member;

/// The person whom the request names: nobody proves who they are.
pub(super) fn reader(name: Option<&str>) -> Result<Member> {
    let name = name.ok_or_else(|| Error::invalid(Field::Name, "is required"))?;
    Member::parse(name).map_err(|why| Error::invalid(Field::Name, why))
}
