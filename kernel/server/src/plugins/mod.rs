//! The plugins of this server: where their packages are, which run where, and how
//! they are changed while it runs.

mod change;
mod choices;
mod configure;
mod inspect;
mod operations;
mod packages;
mod settings;
pub mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use xylem_hooks::{Manifest, Plan};
use xylem_host::{Host, HostConfig, Package, PluginInfo, ServerInfo, Settings, State, WireService};
use xylem_router::Router;
use xylem_session::SessionTable;
use xylem_store::{Store, Turn};

use crate::accounts::Accounts;
use crate::config::Config;
use choices::Choices;
pub use inspect::{check, check_package};
pub use operations::Factors;
pub use packages::{THE_FILE, bundled};

/// The plugin host with what this server knows beside it.
pub struct PluginService {
    host: Arc<Host>,
    /// The configuration in force.
    config: ArcSwap<Config>,
    known: Mutex<Known>,
}

/// What the host does not keep.
struct Known {
    choices: Choices,
    /// Manifests as written, by id.
    texts: BTreeMap<String, String>,
    /// Packages that were not taken, and why.
    refused: Vec<(String, String)>,
}

impl PluginService {
    /// Loads what the configuration and the administrator's choices enable. A package
    /// that cannot be taken is told of and left out; a wrong configuration of a plugin
    /// is an error.
    pub fn load(
        config: &Config,
        store: &Store,
        sessions: &Arc<SessionTable>,
        accounts: &Accounts,
    ) -> anyhow::Result<Self> {
        let host = make_host(config, store, sessions, accounts)?;
        let mut choices = Choices::load(&config.server.data)?;
        let mut refused = Vec::new();
        let mut packages = collect(config, &mut refused)?;
        packages.retain(|id, _| !choices.is_removed(id));
        for package in packages.values() {
            for option in choices.fit(&package.manifest) {
                let plugin = package.manifest.id();
                tracing::warn!(plugin, option, "this version has no use for an option that was set");
            }
        }
        settings::validate(config, packages.values().map(|p| &p.manifest))?;
        let texts = packages.iter().map(|(id, package)| (id.clone(), package.manifest_text.clone())).collect();
        let wanted = packages.into_values().map(|package| {
            let settings = settings::of(config, &choices, package.manifest.id());
            (package, settings)
        });
        tokio::task::block_in_place(|| load_all(&host, wanted.collect(), &mut refused));
        for (name, why) in &refused {
            tracing::error!(plugin = name, "not loaded: {why}");
        }
        let known = Mutex::new(Known { choices, texts, refused });
        Ok(Self { host, config: ArcSwap::from_pointee(config.clone()), known })
    }

    /// Connects host, router and what listens for plugins, and lets plugins begin.
    pub fn attach(&self, router: &Router, wires: Arc<dyn WireService>) {
        self.host.attach_wires(wires);
        router.attach(Arc::clone(&self.host) as Arc<_>);
        self.host.attach(Arc::new(router.clone()));
        self.host.start();
    }

    /// The server stops: plugins say their last words.
    pub async fn stopping(&self) {
        self.host.stopping().await;
    }

    /// The plans, as the router asks for them.
    pub fn directory(&self) -> Arc<dyn xylem_router::Directory> {
        Arc::new(Directory(Arc::clone(&self.host)))
    }

    pub fn plan(&self, domain: &str) -> Option<Arc<Plan>> {
        self.host.plan(domain)
    }

    /// Manifests of all installed plugins.
    pub fn manifests(&self) -> Vec<Arc<Manifest>> {
        self.host.info().iter().filter_map(|info| self.host.manifest(&info.id)).collect()
    }

    /// All installed plugins, in order of id.
    pub fn info(&self) -> Vec<PluginInfo> {
        self.host.info()
    }

    /// Adds to a turn the removal of what plugins keep for an account.
    pub fn forget(&self, turn: &mut Turn, account: &str) {
        self.host.forget_rows(turn, account);
    }

    /// What an administrator should know.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<_> =
            self.known().refused.iter().map(|(name, why)| format!("the plugin {name} was not loaded: {why}")).collect();
        for info in self.host.info() {
            let fault = info.last_fault.map_or_else(String::new, |(_, what)| format!(": {what}"));
            match info.state {
                State::Disabled => problems.push(format!("{} was disabled after too many faults{fault}", info.id)),
                State::BackingOff { .. } => problems.push(format!("{} is left alone after faults{fault}", info.id)),
                _ => {}
            }
        }
        problems
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Directory(Arc<Host>);

impl xylem_router::Directory for Directory {
    fn plan(&self, domain: &str) -> Option<Arc<Plan>> {
        self.0.plan(domain)
    }
}

fn make_host(
    config: &Config,
    store: &Store,
    sessions: &Arc<SessionTable>,
    accounts: &Accounts,
) -> anyhow::Result<Arc<Host>> {
    let names: Vec<_> = config.domains.iter().map(|d| d.name.as_str()).collect();
    let host = HostConfig {
        code: Some(config.in_data(&config.plugins.cache)),
        server: ServerInfo { name: "Xylem".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        ..HostConfig::new(&names)
    };
    Host::new(host, store.clone(), Arc::clone(sessions), Arc::new(accounts.clone())).context("plugins cannot run here")
}

/// All packages by id; one that was installed later goes before one that came with the server.
fn collect(config: &Config, refused: &mut Vec<(String, String)>) -> anyhow::Result<BTreeMap<String, Package>> {
    let mut packages = BTreeMap::new();
    let bundled = packages::bundled(config);
    if bundled.is_none() {
        tracing::warn!("no plugins were found beside the program; set plugins.directory");
    }
    for folder in bundled.into_iter().chain([packages::installed(config)]) {
        for path in packages::files(&folder)? {
            match Package::open(&path) {
                Ok(package) => drop(packages.insert(package.manifest.id().to_owned(), package)),
                Err(error) => refused.push((name_of(&path), error.to_string())),
            }
        }
    }
    Ok(packages)
}

/// All at once, since they may need each other; if that fails, as many as go together.
fn load_all(host: &Host, packages: Vec<(Package, Settings)>, refused: &mut Vec<(String, String)>) {
    let Err(_) = host.load_set(packages.clone()) else { return };
    let mut left = packages;
    loop {
        let before = left.len();
        let mut failed = Vec::new();
        left.retain(|(package, settings)| match host.load_set(vec![(package.clone(), settings.clone())]) {
            Ok(()) => false,
            Err(error) => {
                failed.push((package.manifest.id().to_owned(), error.to_string()));
                true
            }
        });
        if left.len() == before || left.is_empty() {
            refused.extend(failed);
            return;
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
