//! Options of plugins, set on the running server.

use serde_json::{Map, Value};
use xylem_hooks::manifest::ConfigKind;
use xylem_host::overlaid;
use xylem_ops::OpError;
use xylem_ops::plugin::setting::{PluginOption, PluginSettings};

use super::change::{refused, unknown};
use super::{Choices, PluginService, settings};
use crate::config::{Config, PluginTable};

impl PluginService {
    /// All options of a plugin, for a domain or for all, and who set them.
    pub fn options(&self, id: &str, domain: Option<&str>) -> Result<PluginSettings, OpError> {
        let config = self.config.load_full();
        self.named(&config, domain)?;
        let manifest = self.host.manifest(id).ok_or_else(|| unknown(id))?;
        let choices = self.known().choices.clone();
        let said = Said::of(&config, &choices, id, domain);
        let set = said.together();
        // What is said is right, or it would not be in force.
        let resolved = manifest.config.resolve(&set).map_err(|error| OpError::Failed(error.to_string()))?;
        let options = manifest.config.options.iter().map(|option| {
            let (origin, place) = said.origin(&option.name);
            PluginOption {
                name: option.name.clone(),
                help: option.help.clone(),
                kind: kind(option.kind).to_owned(),
                values: option.values.clone(),
                min: option.min,
                max: option.max,
                value: resolved.get(&option.name).cloned().unwrap_or_default(),
                default: option.default.clone(),
                origin: origin.to_owned(),
                place,
            }
        });
        Ok(PluginSettings { id: id.to_owned(), domain: domain.map(str::to_owned), options: options.collect() })
    }

    /// Sets options over the configuration file, and keeps them in the data folder.
    pub fn set_options(&self, id: &str, domain: Option<&str>, options: Map<String, Value>) -> Result<(), OpError> {
        let config = self.config.load_full();
        self.named(&config, domain)?;
        let manifest = self.host.manifest(id).ok_or_else(|| unknown(id))?;
        let given: Map<_, _> =
            options.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
        manifest.config.resolve(&Value::Object(given)).map_err(|error| OpError::Invalid(error.to_string()))?;
        let mut choices = self.known().choices.clone();
        choices.set_options(id, domain, options);
        let domains = config.domains.iter().map(|domain| domain.name.as_str().into()).collect();
        let settings = settings::of(&config, &choices, id);
        self.host.arrange(domains, vec![(id.to_owned(), settings)]).map_err(refused)?;
        self.write_down(&config, choices)
    }
}

/// What was said of a plugin's options, the last of it being what holds.
struct Said<'c> {
    file: Option<&'c PluginTable>,
    set: Value,
    file_of_domain: Option<&'c PluginTable>,
    set_of_domain: Value,
}

impl<'c> Said<'c> {
    fn of(config: &'c Config, choices: &Choices, id: &str, domain: Option<&str>) -> Self {
        let own = config.domains.iter().find(|own| Some(own.name.as_str()) == domain);
        Self {
            file: config.plugins.tables.get(id),
            set: choices.options(id, None),
            file_of_domain: own.and_then(|own| own.settings.get(id)),
            set_of_domain: domain.map_or(Value::Null, |domain| choices.options(id, Some(domain))),
        }
    }

    fn together(&self) -> Value {
        let table = |table: Option<&PluginTable>| table.map(|table| Value::Object(table.values.clone()));
        let all =
            [table(self.file), Some(self.set.clone()), table(self.file_of_domain), Some(self.set_of_domain.clone())];
        all.into_iter().flatten().fold(Value::Object(Map::new()), |below, one| overlaid(&below, Some(&one)))
    }

    fn origin(&self, option: &str) -> (&'static str, Option<String>) {
        let has = |set: &Value| set.get(option).is_some();
        let place = |table: Option<&PluginTable>| {
            let table = table.filter(|table| table.values.contains_key(option))?;
            Some(table.places.get(option).unwrap_or(&table.place).clone())
        };
        if has(&self.set_of_domain) {
            return ("console-domain", None);
        }
        if let Some(place) = place(self.file_of_domain) {
            return ("file-domain", Some(place));
        }
        if has(&self.set) {
            return ("console", None);
        }
        match place(self.file) {
            Some(place) => ("file", Some(place)),
            None => ("default", None),
        }
    }
}

fn kind(kind: ConfigKind) -> &'static str {
    match kind {
        ConfigKind::Boolean => "boolean",
        ConfigKind::Integer => "integer",
        ConfigKind::String => "string",
        ConfigKind::Duration => "duration",
        ConfigKind::Size => "size",
        ConfigKind::List => "list",
        ConfigKind::Enum => "enum",
    }
}
