use super::*;

/// The tables, `spin.toml`, the README and docs/identity.md state the same variables, defaults and meanings.
#[test]
fn the_manifest_and_the_readme_agree_with_the_table() {
    let manifest = include_str!("../../spin.toml");
    let readme = include_str!("../../README.md");
    for Number {
        name,
        default,
        bounds,
        meaning,
    } in VARIABLES
    {
        let declared = format!("# {meaning}.\n{name} = {{ default = \"{default}\" }}\n");
        assert!(manifest.contains(&declared), "spin.toml does not have:\n{declared}");
        let passed_on = format!("{name} = \"{{{{ {name} }}}}\"\n");
        assert!(manifest.contains(&passed_on), "spin.toml does not have:\n{passed_on}");
        let (least, most) = (bounds.start(), bounds.end());
        let row = format!("| `{name}` | `{default}` | {least} to {most} | {meaning} |\n");
        assert!(readme.contains(&row), "the README does not have:\n{row}");
        assert!(bounds.contains(default), "{name}");
    }
    let identity = include_str!("../../docs/identity.md");
    for (text, file, document) in REDIS
        .map(|text| (text, "the README", readme))
        .into_iter()
        .chain(TEXTS.map(|text| (text, "docs/identity.md", identity)))
    {
        let Text {
            name,
            default,
            values,
            meaning,
            secret,
        } = text;
        let secrecy = if *secret { ", secret = true" } else { "" };
        let declared = format!("\n{name} = {{ default = \"{default}\"{secrecy} }}\n");
        assert!(manifest.contains(&declared), "spin.toml does not have:{declared}");
        let passed_on = format!("\n{name} = \"{{{{ {name} }}}}\"\n");
        assert!(manifest.contains(&passed_on), "spin.toml does not have:{passed_on}");
        let default = if default.is_empty() {
            "empty"
        } else {
            &format!("`{default}`")
        };
        let row = format!("| `{name}` | {default} | {values} | {meaning} |\n");
        assert!(document.contains(&row), "{file} does not have:\n{row}");
    }
    for Text { name, meaning, .. } in TEXTS {
        let explained = format!("# {meaning}.\n{name} = ");
        assert!(manifest.contains(&explained), "spin.toml does not have:\n{explained}");
    }
    let declared = manifest.lines().filter(|line| line.contains("{ default = ")).count();
    assert_eq!(
        declared,
        REDIS.len() + VARIABLES.len() + TEXTS.len(),
        "spin.toml declares a variable that no table has"
    );
}

/// A handler does not know in which component it runs.
#[test]
fn both_components_of_the_manifest_have_the_same_settings() {
    let manifest = include_str!("../../spin.toml");
    let section = |name: &str| {
        let (_, after) = manifest.split_once(&format!("[component.{name}]\n")).unwrap();
        after.split("\n[").next().unwrap().trim().to_owned()
    };
    for part in ["", ".variables"] {
        let one = section(&format!("confab{part}"));
        assert_eq!(one, section(&format!("confab-streams{part}")));
        assert!(one.lines().count() > 1, "{one}");
    }
}

#[test]
fn a_value_that_cannot_be_used_names_its_variable() {
    assert!(Config::parse(&Values::with(&[])).is_ok());
    let ipv6 = [
        ("redis_host", "[::1]:6379"),
        ("redis_scheme", "rediss"),
        ("redis_credentials", ":p\n"),
    ];
    let url = Config::parse(&Values::with(&ipv6)).map(|config| config.seeds.get(0).url());
    assert_eq!(url.as_deref(), Ok("rediss://:p@[::1]:6379"));
    for (name, value) in [
        ("redis_host", "hunter2"),
        ("redis_host", "user:hunter2@10.0.0.5:6379"),
        ("redis_nodes", "hunter2"),
        ("redis_credentials", ":hunter2/"),
        ("redis_scheme", "hunter2"),
        ("redis_timeout_ms", "hunter2"),
        ("stream_limit", "-1"),
        ("send_limit", "1"),
        ("auth", "hunter2"),
        ("auth_secret", "hunter2"),
        ("cors_origins", "hunter2"),
    ] {
        let problem = Config::parse(&Values::with(&[(name, value)])).err().unwrap();
        assert_eq!(problem.variable, name, "{problem}");
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
    }
}
