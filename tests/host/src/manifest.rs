//! Reads `spin.toml`, and refuses what Spin refuses.

use crate::allowed::AllowedHost;
use crate::clock::Clock;
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use url::Url;

/// An application's one HTTP component, with every template in its manifest resolved.
#[derive(Clone, Debug)]
pub struct App {
    /// The application's name.
    pub name: String,
    /// The file of the compiled component.
    pub source: PathBuf,
    /// The component's variables.
    pub variables: HashMap<String, String>,
    /// The hosts that the component may connect to, or why it may connect to none: by its variables, one of them is malformed.
    pub allowed_outbound_hosts: Result<Vec<AllowedHost>, String>,
    /// The clock of its instances.
    pub clock: Clock,
}

impl App {
    /// Reads the manifest at `path`. `values` replace the defaults of application variables.
    ///
    /// Fails if the manifest is malformed, if it uses what this host does not have (more than one component, routes other than
    /// `/...`), if a value is for an undeclared variable, or if a required variable has no value.
    pub fn read(path: &Path, values: &HashMap<String, String>) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder, values).with_context(|| format!("{} is not valid", path.display()))
    }

    fn parse(text: &str, folder: &Path, values: &HashMap<String, String>) -> Result<Self> {
        let manifest: Manifest = toml::from_str(text)?;
        ensure!(manifest.spin_manifest_version == 2, "spin_manifest_version must be 2");
        let [trigger] = manifest.trigger.http.as_slice() else {
            bail!("this host serves exactly one [[trigger.http]]");
        };
        ensure!(trigger.route == "/...", "this host serves the route \"/...\" only");
        let component = manifest
            .component
            .get(&trigger.component)
            .with_context(|| format!("there is no [component.{}]", trigger.component))?;

        if let Some(name) = values.keys().find(|name| !manifest.variables.contains_key(*name)) {
            let names: Vec<_> = manifest.variables.keys().map(String::as_str).collect();
            bail!("there is no variable {name:?}; the variables are {}", names.join(", "));
        }
        let application: HashMap<_, _> = manifest
            .variables
            .iter()
            .filter_map(|(name, variable)| Some((name.as_str(), values.get(name).or(variable.default.as_ref())?)))
            .collect();
        for (name, variable) in &manifest.variables {
            ensure!(
                !variable.required || application.contains_key(name.as_str()),
                "the variable {name} is required: give it with --variable {name}=..."
            );
        }

        let defaults = manifest.variables.iter();
        let defaults = defaults
            .filter_map(|(name, variable)| Some((name.as_str(), variable.default.as_ref()?)))
            .collect();
        for template in &component.allowed_outbound_hosts {
            if let Ok(entry) = resolve(template, &defaults) {
                AllowedHost::parse(&entry)?;
            }
        }
        let resolve = |template: &String| resolve(template, &application);
        let entries = component.allowed_outbound_hosts.iter().map(resolve);
        let entries: Vec<_> = entries.collect::<Result<_>>()?;
        let allowed = entries.iter().filter_map(|entry| AllowedHost::parse(entry).transpose());
        Ok(Self {
            name: manifest.application.name,
            source: folder.join(&component.source),
            variables: component
                .variables
                .iter()
                .map(|(name, template)| Ok((name.clone(), resolve(template)?)))
                .collect::<Result<_>>()?,
            allowed_outbound_hosts: allowed.collect::<Result<_>>().map_err(|why| format!("{why:#}")),
            clock: Clock::default(),
        })
    }

    /// Whether the component may connect to `address`.
    pub fn allows(&self, address: &Url) -> Result<bool, String> {
        let allowed = self.allowed_outbound_hosts.as_ref().map_err(String::clone)?;
        Ok(allowed.iter().any(|allowed| allowed.allows(address)))
    }
}

/// Replaces each `{{ name }}` with the variable's value.
fn resolve(template: &str, variables: &HashMap<&str, &String>) -> Result<String> {
    let mut resolved = String::new();
    let mut rest = template;
    while let Some((literal, expression)) = rest.split_once("{{") {
        let (name, after) = expression
            .split_once("}}")
            .with_context(|| format!("{template:?} has \"{{{{\" without \"}}}}\""))?;
        let value = variables
            .get(name.trim())
            .with_context(|| format!("{template:?} uses the variable {:?}, which has no value", name.trim()))?;
        resolved.push_str(literal);
        resolved.push_str(value);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

#[derive(Deserialize)]
struct Manifest {
    spin_manifest_version: u32,
    application: Application,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    trigger: Triggers,
    component: HashMap<String, Component>,
}

#[derive(Deserialize)]
struct Application {
    name: String,
}

#[derive(Deserialize)]
struct Variable {
    default: Option<String>,
    #[serde(default)]
    required: bool,
}

#[derive(Deserialize)]
struct Triggers {
    http: Vec<HttpTrigger>,
}

#[derive(Deserialize)]
struct HttpTrigger {
    route: String,
    component: String,
}

#[derive(Deserialize)]
struct Component {
    source: PathBuf,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    variables: HashMap<String, String>,
}

#[cfg(test)]
mod tests {
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
        assert_eq!(app.variables["url"], "redis://me:pw@r.example:1");
        for (address, allowed) in [
            ("redis://r.example:1", true),
            ("redis://x@r.example:1/0", true),
            ("redis://r.example:2", false),
            ("redis://other:1", false),
            ("rediss://r.example:1", false),
        ] {
            assert_eq!(app.allows(&Url::parse(address).unwrap()), Ok(allowed), "{address}");
        }
    }

    /// As on Spin, which does not read them before the first connection.
    #[test]
    fn with_a_malformed_value_no_host_is_allowed() {
        let text = MANIFEST.replacen("\"redis://{{ host }}\"", "\"redis://*:*\", \"redis://{{ host }}\"", 1);
        let app = parse(&text, &[("secret", "x"), ("host", "me:pw@r.example:1")]).unwrap();
        let why = app.allows(&Url::parse("redis://r.example:1").unwrap()).unwrap_err();
        assert!(why.contains("me:pw@r.example"), "{why}");
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
}
