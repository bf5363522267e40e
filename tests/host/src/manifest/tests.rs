//! What a manifest may say, and what is refused.

use super::*;

const MANIFEST: &str = r#"
    spin_manifest_version = 2
    application = { name = "app" }
    [variables]
    host = { default = "127.0.0.1:6379" }
    secret = { required = true, secret = true }
    [[trigger.http]]
    route = "/..."
    component = "it"
    [component.it]
    source = "it.wasm"
    allowed_outbound_hosts = ["redis://{{ host }}"]
    [component.it.variables]
    url = "redis://{{secret}}@{{ host }}"
"#;

fn parse(text: &str, values: &[(&str, &str)]) -> Result<App> {
    let values = values
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    App::parse(text, Path::new("/folder"), &values)
}

#[test]
fn templates_are_resolved() {
    let app = parse(MANIFEST, &[("secret", "me:pw"), ("host", "r.example:1")]).unwrap();
    assert_eq!(app.source, Path::new("/folder/it.wasm"));
    let component = app.component("/");
    assert_eq!(component.variables["url"], "redis://me:pw@r.example:1");
    for (address, allowed) in [
        ("redis://r.example:1", true),
        ("redis://x@r.example:1/0", true),
        ("redis://r.example:2", false),
        ("redis://other:1", false),
        ("rediss://r.example:1", false),
    ] {
        assert_eq!(
            component.allows(&Url::parse(address).unwrap()),
            Ok(allowed),
            "{address}"
        );
    }
}

/// As on Spin, which does not read them before the first connection.
#[test]
fn with_a_malformed_value_no_host_is_allowed() {
    let text = MANIFEST.replacen("\"redis://{{ host }}\"", "\"redis://*:*\", \"redis://{{ host }}\"", 1);
    let app = parse(&text, &[("secret", "x"), ("host", "me:pw@r.example:1")]).unwrap();
    let allows = app.component("/").allows(&Url::parse("redis://r.example:1").unwrap());
    assert!(allows.unwrap_err().contains("me:pw@r.example"));
}

#[test]
fn a_path_leads_to_its_own_component_and_every_other_one_to_that_of_the_rest() {
    let other = r#"
        [[trigger.http]]
        route = "/a/b"
        component = "other"
        [component.other]
        source = "it.wasm"
        variables = { url = "x" }
    "#;
    let app = parse(&[MANIFEST, other].concat(), &[("secret", "")]).unwrap();
    for (path, name) in [
        ("/a/b", "other"),
        ("/", "it"),
        ("/a", "it"),
        ("/a/b/", "it"),
        ("/a/b/c", "it"),
        ("/A/b", "it"),
    ] {
        assert_eq!(app.component(path).name, name, "{path}");
    }
    assert_eq!(app.component("/a/b").variables["url"], "x");
    assert_eq!(
        app.component("/a/b").allowed_outbound_hosts.as_ref().map(Vec::len),
        Ok(0)
    );
    assert_eq!(app.components().len(), 2);
    for (from, to, reason) in [
        ("\"/a/b\"", "\"/a/...\"", "exact paths"),
        ("\"/a/b\"", "\"/a/:id\"", "exact paths"),
        ("\"/a/b\"", "\"a\"", "exact paths"),
        ("\"it.wasm\"", "\"other.wasm\"", "one source"),
        (
            "component = \"other\"",
            "component = \"others\"",
            "no [component.others]",
        ),
    ] {
        let changed = other.replacen(from, to, 1);
        assert_ne!(changed, other);
        let error = parse(&[MANIFEST, &changed].concat(), &[("secret", "")]).unwrap_err();
        assert!(error.to_string().contains(reason), "{to}: {error}");
    }
}

#[test]
fn a_manifest_that_spin_refuses_is_refused_with_the_reason() {
    let given = [("secret", "x")];
    for (from, to, reason) in [
        ("= 2", "= 1", "must be 2"),
        ("\"/...\"", "\"/x\"", "route"),
        ("component = \"it\"", "component = \"other\"", "no [component.other]"),
        ("{{ host }}\"]", "{{ hots }}\"]", "\"hots\", which has no value"),
        ("{{ host }}\"]", "{{ host\"]", "without"),
        (
            "redis://{{ host }}\"]",
            "rediss://{{ host }}\", \"rediss://h\"]",
            "needs a port",
        ),
        ("redis://{{ host }}\"]", "{{ host }}\"]", "scheme"),
        ("host = { default", "host_2 = { default", "must start with a small"),
        ("application", "aplication", "aplication"),
    ] {
        let text = MANIFEST.replacen(from, to, 1);
        assert_ne!(text, MANIFEST);
        let error = format!("{:#}", parse(&text, &given).unwrap_err());
        assert!(
            error.contains(reason) || error.contains("missing field"),
            "{to}: {error}"
        );
    }
    let error = format!("{:#}", parse(MANIFEST, &[]).unwrap_err());
    assert!(error.contains("secret is required"), "{error}");
    let error = format!("{:#}", parse(MANIFEST, &[("secret", "x"), ("hots", "y")]).unwrap_err());
    assert!(
        error.contains("no variable \"hots\"; the variables are host, secret"),
        "{error}"
    );
}
