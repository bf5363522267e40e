//! The values of the component's variables, as the host has them.

use crate::config::problem::ConfigProblem;
use futures::future::try_join_all;
use spin_sdk::variables;

/// The values of variables, without the white space around them: a secret that Kubernetes mounts ends with a newline.
pub struct Values(Vec<(&'static str, String)>);

impl Values {
    /// Reads the values of these variables, all at once.
    pub(super) async fn read(names: impl Iterator<Item = &'static str>) -> Result<Self, ConfigProblem> {
        let read = async |name| match variables::get(name).await {
            Ok(value) => Ok((name, value)),
            Err(why) => Err(ConfigProblem::new(name, format!("could not be read: {why}"))),
        };
        Ok(Self::new(try_join_all(names.map(read)).await?))
    }

    fn new(values: Vec<(&'static str, String)>) -> Self {
        let trimmed = |(name, value): (_, String)| (name, value.trim().to_owned());
        Self(values.into_iter().map(trimmed).collect())
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &'static str) -> Result<&str, ConfigProblem> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        let found = found.map(|(_, value)| value.as_str());
        found.ok_or_else(|| ConfigProblem::new(name, "was not read"))
    }

    /// What `parse` makes of the value of a variable, or why it makes nothing of it.
    pub(super) fn parsed<'a, T>(
        &'a self,
        name: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, &'static str>,
    ) -> Result<T, ConfigProblem> {
        parse(self.get(name)?).map_err(|why| ConfigProblem::new(name, why))
    }
}

#[cfg(test)]
impl Values {
    /// The defaults of all variables, but for these.
    pub(crate) fn with(others: &[(&'static str, &str)]) -> Self {
        use crate::config::{REDIS, TEXTS, VARIABLES};
        let numbers = VARIABLES.iter().map(|number| (number.name, number.default.to_string()));
        let texts = REDIS.iter().chain(&TEXTS);
        let texts = texts.map(|text| (text.name, text.default.to_owned()));
        let mut values: Vec<_> = numbers.chain(texts).collect();
        for (name, value) in others {
            let place = values.iter_mut().find(|(known, _)| known == name);
            place.unwrap_or_else(|| panic!("there is no variable {name}")).1 = (*value).to_owned();
        }
        Self::new(values)
    }
}
