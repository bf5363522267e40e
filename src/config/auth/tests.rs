//! Variables of identity that cannot be used.

#![expect(clippy::string_slice, reason = "a test fails by a panic")]

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// [`SECRET`] as JSON.
const QUOTED: &str = r#""0123456789abcdef0123456789abcdef""#;

#[test]
fn settings_that_contradict_each_other_name_a_variable() {
    assert!(Auth::read(&Values::with(&[])).unwrap().is_none());
    for (values, variable) in [
        (&[("auth_secret", SECRET)][..], "auth_secret"),
        (&[("auth_keys", "{}")], "auth_keys"),
        (&[("auth_audience", "x")], "auth_audience"),
        (&[("auth_issuer", "x")], "auth_issuer"),
        (&[("auth", "Required")], "auth"),
        (&[("auth", "")], "auth"),
        (&[("auth", "required")], "auth"),
        (&[("auth", "required"), ("auth_keys", "x")], "auth_keys"),
        (&[("auth", "required"), ("auth_keys", QUOTED)], "auth_keys"),
        (&[("auth", "required"), ("auth_keys", r#"{"keys":["x"]}"#)], "auth_keys"),
        (
            &[
                ("auth", "required"),
                ("auth_secret", SECRET),
                ("auth_keys", r#"{"keys":[]}"#),
            ],
            "auth_keys",
        ),
    ] {
        let problem = Auth::read(&Values::with(values)).err().unwrap();
        assert_eq!(problem.variable, variable, "{problem}");
        assert!(!problem.to_string().contains(SECRET), "{problem}");
    }
}

#[test]
fn what_is_no_secret_is_refused() {
    for secret in [
        SECRET[1..].to_owned(),
        format!("{SECRET} x"),
        "x".repeat(513),
        format!("{SECRET}\n{SECRET}"),
        "é".repeat(32),
        [SECRET; 5].join(" "),
        format!("-----BEGIN PUBLIC KEY-----{SECRET}"),
    ] {
        let values = Values::with(&[("auth", "required"), ("auth_secret", &secret)]);
        let problem = Auth::read(&values).err().unwrap();
        assert_eq!(problem.variable, "auth_secret", "{problem}");
        assert!(!problem.to_string().contains(SECRET), "{problem}");
    }
}

/// A secret that Kubernetes mounts ends with a newline.
#[test]
fn white_space_around_a_value_does_not_count() {
    let read = |name, value: &str| {
        let mut values = vec![("auth", " required\n"), ("auth_secret", SECRET)];
        values.retain(|(known, _)| *known != name);
        values.push((name, value));
        Auth::read(&Values::with(&values)).unwrap().unwrap()
    };
    assert_eq!(read("auth_audience", "confab\n").audience.as_deref(), Some("confab"));
    assert_eq!(
        read("auth_issuer", "\thttps://i\r\n").issuer.as_deref(),
        Some("https://i")
    );
    assert_eq!(read("auth_audience", " \n").audience, None);
    assert_eq!(read("auth_secret", &format!("{SECRET} {SECRET}\n")).secrets.len(), 2);
    let nothing = Values::with(&[("auth", "required"), ("auth_secret", " \n")]);
    assert_eq!(Auth::read(&nothing).err().unwrap().variable, "auth");
}
