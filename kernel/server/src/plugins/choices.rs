//! What an administrator decided about plugins on the running server, kept in the
//! data folder. It narrows what the configuration enables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xylem_hooks::Manifest;

/// Stands for every domain.
const ALL: &str = "*";

/// The decisions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Choices {
    /// Domains a plugin is disabled for; `*` for every one.
    #[serde(default)]
    disabled: BTreeMap<String, BTreeSet<String>>,
    /// Plugins that came with the server and are not wanted.
    #[serde(default)]
    removed: BTreeSet<String>,
    /// Options set on the running server, by plugin and domain; `*` for every one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<String, BTreeMap<String, Map<String, Value>>>,
}

impl Choices {
    /// Reads them; none are kept yet where there is no file.
    pub fn load(data: &Path) -> anyhow::Result<Self> {
        let path = path(data);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    pub fn save(&self, data: &Path) -> anyhow::Result<()> {
        let path = path(data);
        let temporary = path.with_extension("new");
        fs::write(&temporary, serde_json::to_vec_pretty(self)?)
            .and_then(|()| fs::File::open(&temporary)?.sync_all())
            .and_then(|()| fs::rename(&temporary, &path))
            .with_context(|| path.display().to_string())
    }

    pub fn allows(&self, plugin: &str, domain: &str) -> bool {
        !self.removed.contains(plugin)
            && !self.disabled.get(plugin).is_some_and(|domains| domains.contains(ALL) || domains.contains(domain))
    }

    pub fn is_removed(&self, plugin: &str) -> bool {
        self.removed.contains(plugin)
    }

    /// For one domain or for all. Enabling one domain of a plugin that is disabled
    /// for all leaves the `others` disabled.
    pub fn enable(&mut self, plugin: &str, domain: Option<&str>, others: &[String]) {
        self.removed.remove(plugin);
        let Some(domain) = domain else {
            self.disabled.remove(plugin);
            return;
        };
        let Some(disabled) = self.disabled.get_mut(plugin) else { return };
        if disabled.remove(ALL) {
            disabled.extend(others.iter().cloned());
        }
        disabled.remove(domain);
        if disabled.is_empty() {
            self.disabled.remove(plugin);
        }
    }

    pub fn disable(&mut self, plugin: &str, domain: Option<&str>) {
        self.disabled.entry(plugin.to_owned()).or_default().insert(domain.unwrap_or(ALL).to_owned());
    }

    /// What was set for a domain, or for all; an object, or null for nothing.
    pub fn options(&self, plugin: &str, domain: Option<&str>) -> Value {
        let set = self.options.get(plugin).and_then(|set| set.get(domain.unwrap_or(ALL)));
        set.map_or(Value::Null, |set| Value::Object(set.clone()))
    }

    /// Sets options; null takes one back.
    pub fn set_options(&mut self, plugin: &str, domain: Option<&str>, options: Map<String, Value>) {
        let set = self.options.entry(plugin.to_owned()).or_default();
        let here = set.entry(domain.unwrap_or(ALL).to_owned()).or_default();
        for (name, value) in options {
            match value {
                Value::Null => drop(here.remove(&name)),
                value => drop(here.insert(name, value)),
            }
        }
        self.tidy();
    }

    /// Takes back what this version of a plugin has no option for, or another kind of value;
    /// the names of those.
    pub fn fit(&mut self, manifest: &Manifest) -> Vec<String> {
        let mut lost = Vec::new();
        for here in self.options.get_mut(manifest.id()).into_iter().flat_map(BTreeMap::values_mut) {
            here.retain(|name, value| {
                let alone = Value::Object(Map::from_iter([(name.clone(), value.clone())]));
                let fits = manifest.config.resolve(&alone).is_ok();
                if !fits {
                    lost.push(name.clone());
                }
                fits
            });
        }
        self.tidy();
        lost
    }

    fn tidy(&mut self) {
        self.options.values_mut().for_each(|set| set.retain(|_, options| !options.is_empty()));
        self.options.retain(|_, set| !set.is_empty());
    }

    pub fn remove(&mut self, plugin: &str) {
        self.disabled.remove(plugin);
        self.removed.insert(plugin.to_owned());
    }
}

fn path(data: &Path) -> PathBuf {
    data.join("plugins.json")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn decisions_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut choices = Choices::load(folder.path()).unwrap();
        choices.disable("a", Some("x.example"));
        choices.remove("b");
        choices.save(folder.path()).unwrap();
        let choices = Choices::load(folder.path()).unwrap();
        assert!(!choices.allows("a", "x.example") && choices.allows("a", "y.example"));
        assert!(!choices.allows("b", "x.example"));
    }

    #[test]
    fn options_are_set_taken_back_and_fitted() {
        let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
        let mut choices = Choices::default();
        choices.set_options("a.b", None, one("quota", 5.into()));
        choices.set_options("a.b", Some("x"), one("gone", true.into()));
        assert_eq!(choices.options("a.b", None)["quota"], 5);
        let manifest = Manifest::parse(
            "[plugin]\nid = \"a.b\"\nversion = \"1\"\napi = \"xylem:plugin@0.1\"\nsummary = \"s\"\nlicense = \"MIT\"\n\
             [config.quota]\ntype = \"integer\"\ndefault = 1\nhelp = \"h\"\n",
        );
        assert_eq!(choices.fit(&manifest.unwrap()), ["gone"]);
        assert_eq!(choices.options("a.b", Some("x")), Value::Null);
        choices.set_options("a.b", None, one("quota", Value::Null));
        assert_eq!(choices, Choices::default());
    }

    #[test]
    fn one_domain_is_enabled_without_the_others() {
        let domains = ["x".to_owned(), "y".to_owned()];
        let mut choices = Choices::default();
        choices.disable("a", None);
        choices.enable("a", Some("x"), &domains);
        assert!(choices.allows("a", "x") && !choices.allows("a", "y"));
        choices.enable("a", None, &domains);
        assert_eq!(choices, Choices::default());
    }
}
