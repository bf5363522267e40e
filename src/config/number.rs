//! A variable whose value is a whole number.

use crate::config::problem::ConfigProblem;
use crate::config::values::Values;
use std::ops::RangeInclusive;

/// A variable whose value is a whole number.
pub struct Number {
    /// Its name in `spin.toml`.
    pub name: &'static str,
    /// Its value if nobody sets it.
    pub default: u64,
    /// The values that it may have.
    pub bounds: RangeInclusive<u64>,
    /// What it means.
    pub meaning: &'static str,
}

impl Number {
    /// Its value, a number within the bounds.
    pub(super) fn read(&self, values: &Values) -> Result<u64, ConfigProblem> {
        self.parse(values.get(self.name)?)
    }

    fn parse(&self, value: &str) -> Result<u64, ConfigProblem> {
        let number = value.parse().ok().filter(|number| self.bounds.contains(number));
        number.ok_or_else(|| {
            let (least, most) = (self.bounds.start(), self.bounds.end());
            ConfigProblem::new(self.name, format!("must be a whole number from {least} to {most}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: Number = Number {
        name: "a_number",
        default: 2000,
        bounds: 1..=20_000,
        meaning: "",
    };

    #[test]
    fn a_number_is_whole_and_within_its_bounds() {
        assert_eq!(NUMBER.parse("1"), Ok(1));
        assert_eq!(NUMBER.parse("20000"), Ok(20_000));
        for value in ["", "0", "-1", "1.5", "2s", "20001", "99999999999999999999"] {
            let error = NUMBER.parse(value).unwrap_err().to_string();
            let reason = "a_number must be a whole number from 1 to 20000";
            assert!(error.contains(reason), "{value:?}: {error}");
        }
    }
}
