//! `plugin.config` and `plugin.configure`: how a plugin is set.
//!
//! Of what is said about an option the last in this order holds: its default in the manifest,
//! `[plugins."ID"]` of the configuration file, what was set here for all domains,
//! `[domains."NAME".settings."ID"]` of the file, what was set here for the domain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::access::{About, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;

/// A plugin's options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginSettings {
    pub id: String,
    /// None: for all domains.
    pub domain: Option<String>,
    pub options: Vec<PluginOption>,
}

/// One option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginOption {
    pub name: String,
    pub help: String,
    /// `boolean`, `integer`, `string`, `duration`, `size`, `list` or `enum`.
    pub kind: String,
    /// The words of an `enum`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub values: Vec<String>,
    /// Bounds; of a duration in milliseconds, of a size in bytes.
    pub min: Option<i64>,
    pub max: Option<i64>,
    /// What holds: a duration in milliseconds, a size in bytes.
    pub value: Value,
    pub default: Value,
    /// Who said so: `default`, `file`, `console`, and with `-domain` for this domain alone.
    pub origin: String,
    /// Where, if it was in a file: `file:line:column`.
    pub place: Option<String>,
}

/// Who sets plugins.
pub trait PluginConfiguration: Send + Sync {
    fn show(&self, id: String, domain: Option<String>) -> Answer<'_, PluginSettings>;
    /// Sets these options here; null takes back what was set here. [`crate::OpError::Invalid`] names
    /// the first that is unknown or wrong, and nothing has changed then.
    fn set(&self, id: String, domain: Option<String>, options: Map<String, Value>) -> Answer<'_, PluginSettings>;
}

const ID: Argument = Argument::required("id", Kind::Text { max: 64 }, "the plugin's id, such as xylem.ping");
const DOMAIN: Argument = Argument::optional("domain", Kind::Domain, "only for this domain");

operation! {
    Show { id: String, domain: Option<String> } -> PluginSettings,
    name: "plugin.config",
    help: "Shows a plugin's options with their bounds, and who set them.",
    route: get "/plugins/{id}/config",
    arguments: [ID, DOMAIN],
    result: "the options",
    roles: Roles::OWN,
    about: About::Server,
    run: |it, backend| backend.plugin_configuration.show(it.id, it.domain),
}

operation! {
    Configure { id: String, domain: Option<String>, options: Map<String, Value> } -> PluginSettings,
    name: "plugin.configure",
    help: "Sets options of a plugin, for one domain or for all, over the configuration file; null takes an option back.",
    route: patch "/plugins/{id}/config",
    arguments: [
        ID,
        Argument::required("options", Kind::Json { max: 65_536 }, "an object of options and values"),
        DOMAIN,
    ],
    result: "the options as they are now",
    roles: Roles::OWN,
    about: About::Server,
    audit: |it| {
        let names: Vec<_> = it.options.keys().map(String::as_str).collect();
        let scope = it.domain.as_ref().map_or_else(String::new, |domain| format!(" for {domain}"));
        format!("set {} of {}{scope}", names.join(", "), it.id)
    },
    state: |it, backend| backend.plugin_configuration.show(it.id.clone(), it.domain.clone()),
    run: |it, backend| backend.plugin_configuration.set(it.id, it.domain, it.options),
}
