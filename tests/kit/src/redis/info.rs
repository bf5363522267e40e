//! The figures in a reply to `INFO`.

use std::collections::BTreeMap;

/// A section of `INFO`, or what is written like one: values by name.
#[derive(Clone, Debug)]
pub struct Info(BTreeMap<String, String>);

impl Info {
    pub(crate) fn parse(reply: &str) -> Self {
        let values = reply.lines().filter_map(|line| line.split_once(':'));
        Self(values.map(|(name, value)| (name.into(), value.trim().into())).collect())
    }

    /// The value with this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The number with this name, which must be there.
    #[track_caller]
    pub fn number(&self, name: &str) -> u64 {
        let number = self.get(name).and_then(|value| value.parse().ok());
        number.unwrap_or_else(|| panic!("INFO has no number {name}: {self:?}"))
    }

    /// The time with this name, which must be there as seconds with six digits after the point.
    #[track_caller]
    pub fn microseconds(&self, name: &str) -> u64 {
        let time = self.get(name).and_then(|value| value.replace('.', "").parse().ok());
        time.unwrap_or_else(|| panic!("INFO has no time {name}: {self:?}"))
    }

    /// How often each command was called, by its name in lower case, if this is the section `commandstats`.
    pub fn calls(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("cmdstat_")?;
            let calls = value.strip_prefix("calls=")?.split(',').next()?;
            Some((name, calls.parse().ok()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_calls_are_found_by_name() {
        let info = Info::parse("# Clients\r\nconnected_clients:3\r\nmaster_host:::1\r\n\r\n");
        assert_eq!(
            (info.number("connected_clients"), info.get("master_host")),
            (3, Some("::1"))
        );
        assert_eq!(info.get("nothing"), None);
        let info = Info::parse("used_cpu_sys:12.034567\r\n");
        assert_eq!(info.microseconds("used_cpu_sys"), 12_034_567);
        let info =
            Info::parse("# Commandstats\r\ncmdstat_config|get:calls=2,usec=5\r\ncmdstat_evalsha:calls=7,usec=9\r\n");
        assert!(info.calls().eq([("config|get", 2), ("evalsha", 7)]));
    }
}
