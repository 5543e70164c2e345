//! `plugin.*` and `chain`: what runs in the sandbox, and in which order.

pub mod package;
pub mod setting;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::operation::operation;
use crate::page::{Page, Paging};

/// A plugin in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginRow {
    pub id: String,
    pub version: String,
    /// `running`, `off` (enabled nowhere), `backing-off` or `disabled` (both after faults).
    pub state: String,
    /// What it said of itself last, or why it does not run.
    pub note: Option<String>,
    /// The domains it is enabled for.
    pub domains: Vec<String>,
    pub calls: u64,
    pub faults: u64,
}

/// All that is known of one plugin.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PluginDetail {
    #[serde(flatten)]
    pub row: PluginRow,
    pub description: String,
    /// Its manifest, as it was packed.
    pub manifest: String,
    /// Its configuration with defaults filled in.
    pub config: serde_json::Value,
    /// The same for each domain that sets something by itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config_by_domain: BTreeMap<String, serde_json::Value>,
}

/// The order of calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainReport {
    pub points: Vec<ChainPoint>,
}

/// What happens at one hook point of one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainPoint {
    pub domain: String,
    /// `message.in` and so on.
    pub point: String,
    /// Phase, plugin and filter of each call, first to last.
    pub steps: Vec<String>,
}

/// A plugin that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    pub id: String,
    /// Whether something that it stored is still there.
    pub kept: bool,
    /// How many accounts and other keys lost what it had stored for them; none if that was not asked for.
    pub purged: Option<u64>,
}

const ID: Argument = Argument::required("id", Kind::Text { max: 64 }, "the plugin's id, such as xylem.ping");
const DOMAIN: Argument = Argument::optional("domain", Kind::Domain, "only for this domain");
const PURGE: Argument = Argument::optional("purge", Kind::Flag, "whether everything that it stored goes as well");
const PACKAGE: Argument =
    Argument::required("package", Kind::Upload, "a package file, as `xylem plugin build` makes it");

operation! {
    #[derive(Default)]
    List { #[serde(flatten)] paging: Paging } -> Page<PluginRow>,
    name: "plugin.list",
    help: "Lists the installed plugins.",
    route: get "/plugins",
    arguments: [],
    pages: ["id", "state", "calls", "faults"],
    result: "a list of plugins",
    roles: Roles::OVERSEE,
    about: About::Common,
    run: |it, backend| backend.plugins.list(it.paging),
}

operation! {
    Info { id: String } -> PluginDetail,
    name: "plugin.info",
    help: "Shows one plugin with its manifest and configuration.",
    route: get "/plugins/{id}",
    arguments: [ID],
    result: "the plugin",
    roles: Roles::SEE,
    about: About::Common,
    run: |it, backend| backend.plugins.info(it.id),
}

operation! {
    Install { package: PathBuf } -> PluginRow,
    name: "plugin.install",
    help: "Installs a package and enables it for every domain.",
    route: post "/plugins",
    arguments: [PACKAGE],
    result: "the plugin",
    roles: Roles::OWN,
    about: About::Server,
    audit: |it| format!("install the plugin package {}", it.package.display()),
    run: |it, backend| backend.plugins.install(it.package, false),
}

operation! {
    Upgrade { package: PathBuf } -> PluginRow,
    name: "plugin.upgrade",
    help: "Replaces an installed plugin by another build of it; what it stored stays.",
    route: post "/plugins/upgrade",
    arguments: [PACKAGE],
    result: "the plugin",
    roles: Roles::OWN,
    about: About::Server,
    audit: |it| format!("upgrade a plugin from {}", it.package.display()),
    run: |it, backend| backend.plugins.install(it.package, true),
}

operation! {
    Enable { id: String, domain: Option<String> } -> PluginRow,
    name: "plugin.enable",
    help: "Enables a plugin for one domain or for all.",
    route: post "/plugins/{id}/enable",
    arguments: [ID, DOMAIN],
    result: "the plugin",
    roles: Roles::ADMINISTER,
    about: About::domain(),
    audit: |it| format!("enable {}{}", it.id, scope(it.domain.as_deref())),
    run: |it, backend| backend.plugins.enable(it.id, it.domain),
}

operation! {
    Disable { id: String, domain: Option<String> } -> PluginRow,
    name: "plugin.disable",
    help: "Disables a plugin for one domain or for all; what it stored stays.",
    route: post "/plugins/{id}/disable",
    arguments: [ID, DOMAIN],
    result: "the plugin",
    roles: Roles::ADMINISTER,
    about: About::domain(),
    danger: Danger::confirm("What the plugin does stops at once; what it stored stays."),
    audit: |it| format!("disable {}{}", it.id, scope(it.domain.as_deref())),
    run: |it, backend| backend.plugins.disable(it.id, it.domain),
}

operation! {
    Remove { id: String, #[serde(default)] purge: bool } -> Removed,
    name: "plugin.remove",
    help: "Removes a plugin; what it stored stays, for the case that it comes back, unless purged.",
    route: delete "/plugins/{id}",
    arguments: [ID, PURGE],
    result: "the id, and what became of what it stored",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::typed("id", "The plugin is removed; with purge, everything that it stored is deleted for ever."),
    audit: |it| format!("remove the plugin {}{}", it.id, if it.purge { " and everything it stored" } else { "" }),
    run: |it, backend| backend.plugins.remove(it.id, it.purge),
}

operation! {
    #[derive(Default)]
    Chain { point: Option<String>, domain: Option<String> } -> ChainReport,
    name: "chain",
    help: "Shows which plugins are called at a hook point, in order.",
    route: get "/chain",
    arguments: [Argument::optional("point", Kind::Text { max: 64 }, "a hook point, such as message.in"), DOMAIN],
    result: "the steps of each hook point",
    roles: Roles::SEE,
    about: About::domain(),
    run: |it, backend| backend.plugins.chain(it.point, it.domain),
}

fn scope(domain: Option<&str>) -> String {
    domain.map_or_else(|| " for every domain".to_owned(), |domain| format!(" for {domain}"))
}
