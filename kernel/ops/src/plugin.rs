//! `plugin.*` and `chain`: what runs in the sandbox, and in which order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::argument::{Argument, Kind};
use crate::backend::{Answer, Backend};
use crate::caller::Permission;
use crate::operation::{Operation, Spec};

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

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct List {}

impl Operation for List {
    const SPEC: Spec = Spec {
        name: "plugin.list",
        help: "Lists the installed plugins.",
        arguments: &[],
        result: "a list of plugins",
        permission: Permission::Observe,
        changes: false,
    };
    type Output = Vec<PluginRow>;

    fn run(self, backend: &Backend) -> Answer<'_, Vec<PluginRow>> {
        backend.plugins.list()
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Info {
    pub id: String,
}

impl Operation for Info {
    const SPEC: Spec = Spec {
        name: "plugin.info",
        help: "Shows one plugin with its manifest and configuration.",
        arguments: &[ID],
        result: "the plugin",
        permission: Permission::Operate,
        changes: false,
    };
    type Output = PluginDetail;

    fn run(self, backend: &Backend) -> Answer<'_, PluginDetail> {
        backend.plugins.info(self.id)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Install {
    pub package: PathBuf,
}

impl Operation for Install {
    const SPEC: Spec = Spec {
        name: "plugin.install",
        help: "Installs a package and enables it for every domain.",
        arguments: &[PACKAGE],
        result: "the plugin",
        permission: Permission::Own,
        changes: true,
    };
    type Output = PluginRow;

    fn audit(&self) -> String {
        format!("install the plugin package {}", self.package.display())
    }

    fn run(self, backend: &Backend) -> Answer<'_, PluginRow> {
        backend.plugins.install(self.package, false)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Upgrade {
    pub package: PathBuf,
}

impl Operation for Upgrade {
    const SPEC: Spec = Spec {
        name: "plugin.upgrade",
        help: "Replaces an installed plugin by another build of it; what it stored stays.",
        arguments: &[PACKAGE],
        result: "the plugin",
        permission: Permission::Own,
        changes: true,
    };
    type Output = PluginRow;

    fn audit(&self) -> String {
        format!("upgrade a plugin from {}", self.package.display())
    }

    fn run(self, backend: &Backend) -> Answer<'_, PluginRow> {
        backend.plugins.install(self.package, true)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Enable {
    pub id: String,
    pub domain: Option<String>,
}

impl Operation for Enable {
    const SPEC: Spec = Spec {
        name: "plugin.enable",
        help: "Enables a plugin for one domain or for all.",
        arguments: &[ID, DOMAIN],
        result: "the plugin",
        permission: Permission::Own,
        changes: true,
    };
    type Output = PluginRow;

    fn audit(&self) -> String {
        format!("enable {}{}", self.id, scope(self.domain.as_deref()))
    }

    fn run(self, backend: &Backend) -> Answer<'_, PluginRow> {
        backend.plugins.enable(self.id, self.domain)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Disable {
    pub id: String,
    pub domain: Option<String>,
}

impl Operation for Disable {
    const SPEC: Spec = Spec {
        name: "plugin.disable",
        help: "Disables a plugin for one domain or for all; what it stored stays.",
        arguments: &[ID, DOMAIN],
        result: "the plugin",
        permission: Permission::Own,
        changes: true,
    };
    type Output = PluginRow;

    fn audit(&self) -> String {
        format!("disable {}{}", self.id, scope(self.domain.as_deref()))
    }

    fn run(self, backend: &Backend) -> Answer<'_, PluginRow> {
        backend.plugins.disable(self.id, self.domain)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Remove {
    pub id: String,
    #[serde(default)]
    pub purge: bool,
}

impl Operation for Remove {
    const SPEC: Spec = Spec {
        name: "plugin.remove",
        help: "Removes a plugin; what it stored stays, for the case that it comes back, unless purged.",
        arguments: &[ID, PURGE],
        result: "the id, and what became of what it stored",
        permission: Permission::Own,
        changes: true,
    };
    type Output = Removed;

    fn audit(&self) -> String {
        format!("remove the plugin {}{}", self.id, if self.purge { " and everything it stored" } else { "" })
    }

    fn run(self, backend: &Backend) -> Answer<'_, Removed> {
        backend.plugins.remove(self.id, self.purge)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Chain {
    pub point: Option<String>,
    pub domain: Option<String>,
}

impl Operation for Chain {
    const SPEC: Spec = Spec {
        name: "chain",
        help: "Shows which plugins are called at a hook point, in order.",
        arguments: &[Argument::optional("point", Kind::Text { max: 64 }, "a hook point, such as message.in"), DOMAIN],
        result: "the steps of each hook point",
        permission: Permission::Observe,
        changes: false,
    };
    type Output = ChainReport;

    fn run(self, backend: &Backend) -> Answer<'_, ChainReport> {
        backend.plugins.chain(self.point, self.domain)
    }
}

fn scope(domain: Option<&str>) -> String {
    domain.map_or_else(|| " for every domain".to_owned(), |domain| format!(" for {domain}"))
}
