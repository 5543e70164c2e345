//! The configuration while the server runs: what is in force, what a change would do, and
//! changing it.

mod edit;
mod file;
mod past;
mod section;

use std::collections::BTreeMap;

use crate::config::{Config, Origin, Problems, Setting};
use crate::reload;

pub use edit::set;
pub use file::{File, Unwritten};
pub use past::Past;
pub use section::{has, without};

/// What a change does to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub section: String,
    pub key: String,
    /// None: there is no such key before, or after.
    pub before: Option<String>,
    pub after: Option<String>,
    /// Whether only a restart brings it into force.
    pub restart: bool,
}

/// The keys of a text; the environment goes over it.
pub fn explain(name: &str, text: &str) -> Result<(Config, Vec<Setting>), Problems> {
    Config::explain(name, text, std::env::vars())
}

/// What is different between two configurations, in order of section and key.
pub fn differences(before: &[Setting], after: &[Setting]) -> Vec<Difference> {
    let by_key = |settings: &[Setting]| -> BTreeMap<(String, String), Option<String>> {
        settings.iter().map(|s| ((s.section.clone(), s.key.clone()), s.value.clone())).collect()
    };
    let (before, after) = (by_key(before), by_key(after));
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let differs = keys.into_iter().filter_map(|key| {
        let (old, new) = (before.get(key).cloned().flatten(), after.get(key).cloned().flatten());
        let (section, name) = key.clone();
        let restart = reload::needs_restart(&section, &name);
        (old != new).then_some(Difference { section, key: name, before: old, after: new, restart })
    });
    differs.collect()
}

/// What was said on the command line goes over everything.
pub fn with_command_line(mut settings: Vec<Setting>, in_force: &Config) -> Vec<Setting> {
    for setting in settings.iter_mut().filter(|s| s.section == "server" && s.key == "data") {
        let value = serde_json::Value::from(in_force.server.data.display().to_string()).to_string();
        if setting.value.as_ref() != Some(&value) {
            setting.value = Some(value);
            setting.origin = Origin::CommandLine;
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_change_says_what_it_does() {
        let read = |text: &str| Config::explain("x.toml", text, std::iter::empty()).unwrap().1;
        let before = read("[limits]\ndepth = 20\n[store]\nbackend = \"sled\"");
        let after = read("[limits]\ndepth = 30\n[domains.\"a.example\"]\n# nothing\n");
        let found = differences(&before, &after);
        let of = |section: &str, key: &str| found.iter().find(|d| d.section == section && d.key == key).cloned();
        let depth = of("limits", "depth").unwrap();
        assert_eq!((depth.before.as_deref(), depth.after.as_deref(), depth.restart), (Some("20"), Some("30"), false));
        assert!(of("store", "backend").unwrap().restart);
        assert!(found.iter().any(|d| d.section == "domains.\"a.example\"" && d.before.is_none()));
        assert!(found.iter().any(|d| d.section == "domains.\"localhost\"" && d.after.is_none()));
        assert!(differences(&after, &after).is_empty());
    }
}
