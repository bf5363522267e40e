//! Reads `spin.toml`, and refuses what Spin refuses.

use crate::allowed::AllowedHost;
use crate::clock::Clock;
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

/// The route of all paths that no other route has.
const REST: &str = "/...";

/// An application: components of one file, with every template in its manifest resolved.
#[derive(Clone, Debug)]
pub struct App {
    /// The application's name.
    pub name: String,
    /// The file of the compiled components.
    pub source: PathBuf,
    /// The clock of all instances.
    pub clock: Clock,
    rest: Arc<Component>,
    /// The routes of one path each.
    exact: Vec<(String, Arc<Component>)>,
}

/// A component of an application.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its name in the manifest.
    pub name: String,
    /// Its variables.
    pub variables: HashMap<String, String>,
    /// The hosts that the component may connect to, or why it may connect to none: by its variables, one of them is malformed.
    pub allowed_outbound_hosts: Result<Vec<AllowedHost>, String>,
    /// The clock of its instances.
    pub clock: Clock,
}

impl App {
    /// Reads the manifest at `path`. `values` replace the defaults of application variables.
    ///
    /// Fails if the manifest is malformed, if it uses what this host does not have (components of several files, routes other than
    /// `/...` and exact paths), if a value is for an undeclared variable, or if a required variable has no value.
    pub fn read(path: &Path, values: &HashMap<String, String>) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder, values).with_context(|| format!("{} is not valid", path.display()))
    }

    fn parse(text: &str, folder: &Path, values: &HashMap<String, String>) -> Result<Self> {
        let manifest: Manifest = toml::from_str(text)?;
        ensure!(manifest.spin_manifest_version == 2, "spin_manifest_version must be 2");
        for name in manifest.variables.keys() {
            let is_word = |word: &str| word.starts_with(|first: char| first.is_ascii_lowercase());
            ensure!(
                name.split('_').all(is_word),
                "each word of the variable {name} must start with a small ASCII letter"
            );
        }
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
        let clock = Clock::default();
        let mut sources = BTreeSet::new();
        let mut components = HashMap::new();
        for (name, declared) in &manifest.component {
            sources.insert(&declared.source);
            declared.check(&defaults)?;
            components.insert(name, Arc::new(declared.resolve(name, &application, &clock)?));
        }
        let mut exact = Vec::new();
        let mut rest = None;
        for HttpTrigger { route, component } in &manifest.trigger.http {
            let found = components.get(component);
            let component = found.with_context(|| format!("there is no [component.{component}]"))?;
            if route == REST {
                rest = Some(Arc::clone(component));
            } else {
                let is_exact = route.starts_with('/') && !route.contains("...") && !route.contains(':');
                ensure!(
                    is_exact,
                    "this host serves the route \"/...\" and exact paths only, not {route:?}"
                );
                exact.push((route.clone(), Arc::clone(component)));
            }
        }
        let mut sources = sources.into_iter();
        let (Some(source), None) = (sources.next(), sources.next()) else {
            bail!("this host serves components of one source only");
        };
        Ok(Self {
            name: manifest.application.name,
            source: folder.join(source),
            clock,
            rest: rest.context("this host needs a component for the route \"/...\"")?,
            exact,
        })
    }

    /// The component that answers at a path. An exact route comes first, as in Spin.
    pub fn component(&self, path: &str) -> &Arc<Component> {
        let exact = self.exact.iter().find(|(route, _)| route == path);
        exact.map_or(&self.rest, |(_, component)| component)
    }

    /// All components that answer somewhere.
    pub fn components(&self) -> Vec<Arc<Component>> {
        let mut components = vec![Arc::clone(&self.rest)];
        for (_, component) in &self.exact {
            if components.iter().all(|known| !Arc::ptr_eq(known, component)) {
                components.push(Arc::clone(component));
            }
        }
        components
    }
}

impl Component {
    /// Whether it may connect to `address`.
    pub fn allows(&self, address: &Url) -> Result<bool, String> {
        let allowed = self.allowed_outbound_hosts.as_ref().map_err(String::clone)?;
        Ok(allowed.iter().any(|allowed| allowed.allows(address)))
    }
}

impl Declared {
    /// Fails if one of its allowed hosts is malformed although no variable has another value than its default.
    fn check(&self, defaults: &HashMap<&str, &String>) -> Result<()> {
        for template in &self.allowed_outbound_hosts {
            if let Ok(entry) = resolve(template, defaults) {
                AllowedHost::parse(&entry)?;
            }
        }
        Ok(())
    }

    fn resolve(&self, name: &str, application: &HashMap<&str, &String>, clock: &Clock) -> Result<Component> {
        let resolve = |template: &String| resolve(template, application);
        let entries = self.allowed_outbound_hosts.iter().map(resolve);
        let entries: Vec<_> = entries.collect::<Result<_>>()?;
        let allowed = entries.iter().filter_map(|entry| AllowedHost::parse(entry).transpose());
        Ok(Component {
            name: name.to_owned(),
            variables: self
                .variables
                .iter()
                .map(|(name, template)| Ok((name.clone(), resolve(template)?)))
                .collect::<Result<_>>()?,
            allowed_outbound_hosts: allowed.collect::<Result<_>>().map_err(|why| format!("{why:#}")),
            clock: clock.clone(),
        })
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
    component: HashMap<String, Declared>,
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
struct Declared {
    source: PathBuf,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    variables: HashMap<String, String>,
}

#[cfg(test)]
mod tests;
