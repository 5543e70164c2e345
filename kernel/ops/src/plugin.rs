//! `plugin.*` and `chain`: what runs in the sandbox, and in which order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::argument::{Argument, Kind};
use crate::operation::operation;

/// A plugin in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainReport {
    pub points: Vec<ChainPoint>,
}

/// What happens at one hook point of one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainPoint {
    pub domain: String,
    /// `message.in` and so on.
    pub point: String,
    /// Phase, plugin and filter of each call, first to last.
    pub steps: Vec<String>,
}

/// A plugin that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    pub id: String,
    /// Whether something that it stored is still there.
    pub kept: bool,
    /// How many accounts and other keys lost what it had stored for them; none if that was not asked for.
    pub purged: Option<u64>,
}

const ID: Argument = Argument::required("id", Kind::Text { max: 64 }, "the plugin's id, such as xylem.ping");
const DOMAIN: Argument = Argument::optional("domain", Kind::Text { max: 1023 }, "only for this domain");
const PURGE: Argument = Argument::optional("purge", Kind::Flag, "whether everything that it stored goes as well");
const PACKAGE: Argument = Argument::required("package", Kind::Path, "a package file, as `xylem plugin build` makes it");

operation! {
    #[derive(Default)]
    List {} -> Vec<PluginRow>,
    name: "plugin.list",
    help: "Lists the installed plugins.",
    arguments: [],
    result: "a list of plugins",
    permission: Observe,
    run: |_it, backend| backend.plugins.list(),
}

operation! {
    Info { id: String } -> PluginDetail,
    name: "plugin.info",
    help: "Shows one plugin with its manifest and configuration.",
    arguments: [ID],
    result: "the plugin",
    permission: Operate,
    run: |it, backend| backend.plugins.info(it.id),
}

operation! {
    Install { package: PathBuf } -> PluginRow,
    name: "plugin.install",
    help: "Installs a package and enables it for every domain.",
    arguments: [PACKAGE],
    result: "the plugin",
    permission: Own,
    audit: |it| format!("install the plugin package {}", it.package.display()),
    run: |it, backend| backend.plugins.install(it.package, false),
}

operation! {
    Upgrade { package: PathBuf } -> PluginRow,
    name: "plugin.upgrade",
    help: "Replaces an installed plugin by another build of it; what it stored stays.",
    arguments: [PACKAGE],
    result: "the plugin",
    permission: Own,
    audit: |it| format!("upgrade a plugin from {}", it.package.display()),
    run: |it, backend| backend.plugins.install(it.package, true),
}

operation! {
    Enable { id: String, domain: Option<String> } -> PluginRow,
    name: "plugin.enable",
    help: "Enables a plugin for one domain or for all.",
    arguments: [ID, DOMAIN],
    result: "the plugin",
    permission: Own,
    audit: |it| format!("enable {}{}", it.id, scope(it.domain.as_deref())),
    run: |it, backend| backend.plugins.enable(it.id, it.domain),
}

operation! {
    Disable { id: String, domain: Option<String> } -> PluginRow,
    name: "plugin.disable",
    help: "Disables a plugin for one domain or for all; what it stored stays.",
    arguments: [ID, DOMAIN],
    result: "the plugin",
    permission: Own,
    audit: |it| format!("disable {}{}", it.id, scope(it.domain.as_deref())),
    run: |it, backend| backend.plugins.disable(it.id, it.domain),
}

operation! {
    Remove { id: String, #[serde(default)] purge: bool } -> Removed,
    name: "plugin.remove",
    help: "Removes a plugin; what it stored stays, for the case that it comes back, unless purged.",
    arguments: [ID, PURGE],
    result: "the id, and what became of what it stored",
    permission: Own,
    audit: |it| format!("remove the plugin {}{}", it.id, if it.purge { " and everything it stored" } else { "" }),
    run: |it, backend| backend.plugins.remove(it.id, it.purge),
}

operation! {
    #[derive(Default)]
    Chain { point: Option<String>, domain: Option<String> } -> ChainReport,
    name: "chain",
    help: "Shows which plugins are called at a hook point, in order.",
    arguments: [Argument::optional("point", Kind::Text { max: 64 }, "a hook point, such as message.in"), DOMAIN],
    result: "the steps of each hook point",
    permission: Observe,
    run: |it, backend| backend.plugins.chain(it.point, it.domain),
}

fn scope(domain: Option<&str>) -> String {
    domain.map_or_else(|| " for every domain".to_owned(), |domain| format!(" for {domain}"))
}
