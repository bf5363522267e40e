//! Who may write the first message of a chat.

use crate::config::problem::ConfigProblem;
use crate::config::text::FIRST_MESSAGE;
use crate::config::values::Values;

/// Who may write the first message of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstMessage {
    /// Each of its members.
    Anyone,
    /// A person may send only in a chat that the app's own service has opened.
    Service,
}

impl FirstMessage {
    /// Reads the variable. Fails if only a service may open chats and nobody can prove to be one.
    pub(super) fn read(values: &Values, callers_are_known: bool) -> Result<Self, ConfigProblem> {
        let problem = |why| Err(ConfigProblem::new(FIRST_MESSAGE.name, why));
        match values.get(FIRST_MESSAGE.name)? {
            "anyone" => Ok(Self::Anyone),
            "service" if callers_are_known => Ok(Self::Service),
            "service" => problem("is service, so the variable auth must be required"),
            _ => problem("must be anyone or service"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_opens_chats_only_if_callers_are_known() {
        let read = |value, known| FirstMessage::read(&Values::with(&[("first_message", value)]), known);
        assert_eq!(read("anyone", false), Ok(FirstMessage::Anyone));
        assert_eq!(read("service", true), Ok(FirstMessage::Service));
        for (value, known, why) in [
            ("service", false, "auth must be required"),
            ("Service", true, "must be anyone or service"),
            ("", true, "must be anyone or service"),
        ] {
            let problem = read(value, known).unwrap_err();
            assert!(problem.reason.contains(why), "{problem}");
            assert_eq!(problem.variable, "first_message");
        }
    }
}
