//! From the configuration to what the host is told of each plugin.

use std::sync::Arc;

use serde_json::Value;
use xylem_hooks::Manifest;
use xylem_host::Settings;

use super::choices::Choices;
use crate::config::{Config, Problem, Problems};

/// Where a plugin runs and how it is set.
pub(super) fn of(config: &Config, choices: &Choices, id: &str) -> Settings {
    let enabled = config.domains.iter().filter(|domain| domain.enables(id) && choices.allows(id, &domain.name));
    let domains: Vec<Arc<str>> = enabled.map(|domain| domain.name.as_str().into()).collect();
    Settings { domains: Some(domains), config: values(config, id), ..Settings::default() }
}

/// `[plugins."ID"]` as the host takes it.
pub(super) fn values(config: &Config, id: &str) -> Value {
    config.plugins.tables.get(id).map_or(Value::Null, |table| Value::Object(table.values.clone()))
}

/// Checks `[plugins."ID"]` of every plugin there is. A section of one that is not there is
/// told of, and kept for when it comes.
pub(super) fn validate<'m>(config: &Config, manifests: impl Iterator<Item = &'m Manifest>) -> Result<(), Problems> {
    let manifests: Vec<_> = manifests.collect();
    let mut problems = Vec::new();
    for (id, table) in &config.plugins.tables {
        let Some(manifest) = manifests.iter().find(|manifest| manifest.id() == id) else {
            tracing::warn!("{}: there is no plugin {id}; its settings are ignored", table.place);
            continue;
        };
        if let Err(error) = manifest.config.resolve(&Value::Object(table.values.clone())) {
            let place = table.places.get(&error.option).unwrap_or(&table.place).clone();
            problems.push(Problem { place, message: format!("plugins.{id:?}.{}: {}", error.option, error.problem) });
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}
