//! From the configuration to what the host is told of each plugin.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use xylem_hooks::Manifest;
use xylem_host::{Settings, overlaid};

use super::choices::Choices;
use crate::config::{Config, PluginTable, Problem, Problems};

/// Where a plugin runs and how it is set.
pub(super) fn of(config: &Config, choices: &Choices, id: &str) -> Settings {
    let enabled = config.domains.iter().filter(|domain| domain.enables(id) && choices.allows(id, &domain.name));
    let domains: Vec<Arc<str>> = enabled.map(|domain| domain.name.as_str().into()).collect();
    let by_domain = by_domain(config, choices, id).map(|(domain, values)| (domain.into(), values));
    Settings { domains: Some(domains), config: for_all(config, choices, id), by_domain: by_domain.collect() }
}

/// What is set for all domains: in the file, and over it on the running server.
pub(super) fn for_all(config: &Config, choices: &Choices, id: &str) -> Value {
    over(values(config, id), choices.options(id, None))
}

/// What each domain sets for itself, in the same way.
pub(super) fn by_domain<'c>(
    config: &'c Config,
    choices: &'c Choices,
    id: &'c str,
) -> impl Iterator<Item = (&'c str, Value)> {
    config.domains.iter().filter_map(move |domain| {
        let file = domain.settings.get(id).map_or(Value::Null, |table| Value::Object(table.values.clone()));
        let set = over(file, choices.options(id, Some(&domain.name)));
        (!set.is_null()).then_some((domain.name.as_str(), set))
    })
}

fn over(file: Value, set: Value) -> Value {
    match file {
        Value::Null => set,
        file => overlaid(&file, Some(&set)),
    }
}

/// `[plugins."ID"]` as the host takes it.
pub(super) fn values(config: &Config, id: &str) -> Value {
    config.plugins.tables.get(id).map_or(Value::Null, |table| Value::Object(table.values.clone()))
}

/// Checks the sections of every plugin there is. A section of one that is not there is
/// told of, and kept for when it comes.
pub(super) fn validate<'m>(config: &Config, manifests: impl Iterator<Item = &'m Manifest>) -> Result<(), Problems> {
    let manifests: BTreeMap<&str, &Manifest> = manifests.map(|manifest| (manifest.id(), manifest)).collect();
    let mut problems = Vec::new();
    check(&config.plugins.tables, "plugins", &manifests, &mut problems);
    for domain in &config.domains {
        check(&domain.settings, &format!("domains.{:?}.settings", domain.name), &manifests, &mut problems);
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

fn check(
    tables: &BTreeMap<String, PluginTable>,
    section: &str,
    manifests: &BTreeMap<&str, &Manifest>,
    problems: &mut Vec<Problem>,
) {
    for (id, table) in tables {
        let Some(manifest) = manifests.get(id.as_str()) else {
            tracing::warn!("{}: there is no plugin {id}; its settings are ignored", table.place);
            continue;
        };
        // Each key stands for itself, so what lies over another section is checked alone.
        if let Err(error) = manifest.config.resolve(&Value::Object(table.values.clone())) {
            let place = table.places.get(&error.option).unwrap_or(&table.place).clone();
            problems.push(Problem { place, message: format!("{section}.{id:?}.{}: {}", error.option, error.problem) });
        }
    }
}
