//! Which plugins there are, where they are enabled and how they are set.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::Value;
use xylem_hooks::call::PluginIndex;
use xylem_hooks::manifest::{Class, Scope, Shape};
use xylem_hooks::plan::ManifestEntry;
use xylem_hooks::{Manifest, Plan};

use super::Host;
use crate::configured::Configured;
use crate::error::HostError;
use crate::guest::{Core, StoreSlot};
use crate::instance::Mould;
use crate::package::Package;
use crate::plugin::Plugin;
use crate::services::Plans;
use crate::text;
use crate::wires::{self, WireListener};

/// How long a replaced version stays for calls by plans still in use.
const LINGER: Duration = Duration::from_secs(60);

/// Where a plugin runs and how it is set.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `None`: in all domains.
    pub domains: Option<Vec<Arc<str>>>,
    /// Options for all domains, as a JSON object.
    pub config: Value,
    /// Options for single domains, over those.
    pub by_domain: BTreeMap<Arc<str>, Value>,
}

#[derive(Clone)]
pub(super) struct Catalogue {
    domains: Vec<Arc<str>>,
    installed: BTreeMap<Arc<str>, Installed>,
}

#[derive(Clone)]
struct Installed {
    plugin: Arc<Plugin>,
    settings: Settings,
}

type Configs = BTreeMap<Arc<str>, Arc<Configured>>;

impl Catalogue {
    pub(super) fn new(domains: Vec<Arc<str>>) -> Self {
        Self { domains, installed: BTreeMap::new() }
    }

    /// All plugins and the domains each is enabled for.
    pub(super) fn plugins(&self) -> impl Iterator<Item = (Arc<Plugin>, Vec<Arc<str>>)> {
        self.installed.values().map(|installed| (Arc::clone(&installed.plugin), self.domains_of(installed)))
    }

    /// The plugin, if it runs for the domain.
    pub(super) fn enabled(&self, id: &str, domain: &str) -> Option<Arc<Plugin>> {
        let installed = self.installed.get(id)?;
        installed.runs_for(domain).then(|| Arc::clone(&installed.plugin))
    }

    /// What the plugins that run anywhere listen to.
    pub(super) fn listeners(&self) -> Result<Vec<WireListener>, HostError> {
        let mut listeners = Vec::new();
        for installed in self.installed.values().filter(|installed| !self.domains_of(installed).is_empty()) {
            let core = &installed.plugin.core;
            // One socket serves all domains, so what is set for one of them does not count.
            let config = core.manifest.config.resolve(&installed.settings.config);
            let config = config.map_err(|error| HostError::Config { plugin: core.id.to_string(), error })?;
            for spec in &core.manifest.listeners {
                listeners.push(wires::listener(&core.id, spec, &config)?);
            }
        }
        Ok(listeners)
    }

    /// No two plugins may contribute an operation of one name: the server has one table.
    fn distinct_operations(&self) -> Result<(), HostError> {
        let mut known: BTreeMap<&str, &str> = BTreeMap::new();
        for installed in self.installed.values() {
            let core = &installed.plugin.core;
            for operation in &core.manifest.operations {
                if let Some(first) = known.insert(&operation.name, &core.id) {
                    let (line, name) = (operation.line, &operation.name);
                    let problem = format!("[[operation]] on line {line}: {first} has `{name}` already; rename it");
                    return Err(HostError::component(&core.id, problem));
                }
            }
        }
        Ok(())
    }

    fn domains_of(&self, installed: &Installed) -> Vec<Arc<str>> {
        self.domains.iter().filter(|domain| installed.runs_for(domain)).cloned().collect()
    }

    fn plans(&self) -> Result<Plans, HostError> {
        let mut plans: Plans = HashMap::new();
        for domain in &self.domains {
            let here = self.installed.values().filter(|installed| installed.runs_for(domain));
            let entries: Result<Vec<_>, HostError> = here.map(|installed| installed.entry(domain)).collect();
            let entries = entries?;
            let plan = Arc::new(Plan::compile(&entries, domain)?);
            for (claimed, _) in plan.claimed_domains() {
                plans.entry(claimed.into()).or_insert_with(|| Arc::clone(&plan));
            }
            plans.insert(Arc::clone(domain), plan);
        }
        Ok(plans)
    }

    /// The configuration of every plugin for every domain it runs for.
    fn configs(&self) -> Result<Vec<(Arc<Plugin>, Configs)>, HostError> {
        self.installed
            .values()
            .map(|installed| Ok((Arc::clone(&installed.plugin), installed.configs(&self.domains_of(installed))?)))
            .collect()
    }
}

impl Installed {
    fn runs_for(&self, domain: &str) -> bool {
        self.settings.domains.as_ref().is_none_or(|domains| domains.iter().any(|known| **known == *domain))
    }

    fn configs(&self, domains: &[Arc<str>]) -> Result<Configs, HostError> {
        let manifest = &self.plugin.core.manifest;
        let one =
            |domain: &Arc<str>| Ok((Arc::clone(domain), Arc::new(Configured::new(manifest, &self.config(domain)?))));
        domains.iter().map(one).collect()
    }

    fn config(&self, domain: &Arc<str>) -> Result<Value, HostError> {
        let core = &self.plugin.core;
        let set = overlaid(&self.settings.config, self.settings.by_domain.get(domain));
        let resolved = core.manifest.config.resolve(&set);
        resolved.map_err(|error| HostError::Config { plugin: core.id.to_string(), error })
    }

    fn entry(&self, domain: &Arc<str>) -> Result<ManifestEntry, HostError> {
        let core = &self.plugin.core;
        Ok(ManifestEntry { plugin: core.index, manifest: Arc::clone(&core.manifest), config: self.config(domain)? })
    }
}

/// Options of one domain over those for all, key by key.
#[must_use]
pub fn overlaid(all: &Value, one: Option<&Value>) -> Value {
    match (all, one) {
        (Value::Object(all), Some(Value::Object(one))) => {
            let mut both = all.clone();
            both.extend(one.clone());
            Value::Object(both)
        }
        (_, Some(one)) if !one.is_null() => one.clone(),
        (all, _) => all.clone(),
    }
}

impl Host {
    /// Loads several plugins at once, so that they may need each other. All or none.
    /// Compiles on this thread if the code folder has nothing.
    ///
    /// # Errors
    /// The first plugin that cannot be taken; nothing has changed then.
    pub fn load_set(&self, packages: Vec<(Package, Settings)>) -> Result<(), HostError> {
        let mut made = Vec::with_capacity(packages.len());
        for (package, settings) in packages {
            made.push((self.mould(&package)?, package.manifest, settings));
        }
        self.change(|catalogue, host| {
            for (mould, manifest, settings) in made {
                let plugin = host.register(manifest, mould)?;
                catalogue.installed.insert(Arc::clone(&plugin.core.id), Installed { plugin, settings });
            }
            Ok(())
        })
    }

    /// Installs a plugin, or replaces the version that is installed, whose settings
    /// then stay and whose rows, timers and groups the new version finds.
    ///
    /// # Errors
    /// Why it cannot be taken; nothing has changed then.
    pub fn install(&self, package: Package, settings: Settings) -> Result<(), HostError> {
        let mould = self.mould(&package)?;
        self.change(|catalogue, host| {
            let plugin = host.register(package.manifest, mould)?;
            let known = catalogue.installed.get(&plugin.core.id).map(|installed| installed.settings.clone());
            let settings = known.unwrap_or(settings);
            catalogue.installed.insert(Arc::clone(&plugin.core.id), Installed { plugin, settings });
            Ok(())
        })
    }

    /// Replaces an installed plugin.
    ///
    /// # Errors
    /// As [`Host::install`]; also if it is not installed.
    pub fn upgrade(&self, package: Package) -> Result<(), HostError> {
        if !self.lock().installed.contains_key(package.manifest.id()) {
            return Err(HostError::Unknown(package.manifest.id().to_owned()));
        }
        self.install(package, Settings::default())
    }

    /// Enables a plugin for a domain, or for all; one that was disabled for its
    /// faults is trusted again.
    ///
    /// # Errors
    /// No such plugin, or it does not go together with others there.
    pub fn enable(&self, id: &str, domain: Option<&str>) -> Result<(), HostError> {
        self.with(id, |installed, all| {
            installed.plugin.supervisor.revive();
            match (&mut installed.settings.domains, domain) {
                (domains, None) => *domains = None,
                (None, Some(_)) => {}
                (Some(domains), Some(domain)) => {
                    let missing = all.iter().filter(|known| ***known == *domain && !domains.contains(known));
                    let missing: Vec<_> = missing.cloned().collect();
                    domains.extend(missing);
                }
            }
        })
    }

    /// Disables a plugin for a domain, or for all. Its rows stay.
    ///
    /// # Errors
    /// No such plugin, or others need it.
    pub fn disable(&self, id: &str, domain: Option<&str>) -> Result<(), HostError> {
        self.with(id, |installed, all| {
            let runs: Vec<_> = all.iter().filter(|known| installed.runs_for(known)).cloned().collect();
            let left = runs.into_iter().filter(|known| domain.is_some_and(|domain| **known != *domain));
            installed.settings.domains = Some(left.collect());
        })
    }

    /// Changes a plugin's options: for a domain, or for all.
    ///
    /// # Errors
    /// No such plugin, unknown options, wrong values.
    pub fn configure(&self, id: &str, domain: Option<&str>, config: Value) -> Result<(), HostError> {
        self.with(id, |installed, _| match domain {
            None => installed.settings.config = config,
            Some(domain) => {
                installed.settings.by_domain.insert(domain.into(), config);
            }
        })
    }

    /// Removes a plugin. Its rows stay, for the case that it comes back.
    ///
    /// # Errors
    /// No such plugin, or others need it.
    pub fn remove(&self, id: &str) -> Result<(), HostError> {
        self.change(|catalogue, _| {
            catalogue.installed.remove(id).map(|_| ()).ok_or_else(|| HostError::Unknown(id.to_owned()))
        })?;
        self.services.groups.forget(|plugin, _| plugin == id);
        self.services.volatile.forget(|table, _| table.split('/').next() == Some(id));
        self.services.timers.forget(|plugin, _| plugin == id);
        Ok(())
    }

    /// Changes which domains are hosted.
    ///
    /// # Errors
    /// Plugins that do not go together in a new domain.
    pub fn set_domains(&self, domains: Vec<Arc<str>>) -> Result<(), HostError> {
        self.change(|catalogue, _| {
            catalogue.domains = domains;
            Ok(())
        })
    }

    /// Changes which domains are hosted and how these plugins are set, all at once.
    ///
    /// # Errors
    /// No such plugin, wrong options, or plugins that do not go together; nothing has
    /// changed then.
    pub fn arrange(&self, domains: Vec<Arc<str>>, settings: Vec<(String, Settings)>) -> Result<(), HostError> {
        self.change(|catalogue, _| {
            catalogue.domains = domains;
            for (id, settings) in settings {
                let installed = catalogue.installed.get_mut(id.as_str());
                installed.ok_or(HostError::Unknown(id))?.settings = settings;
            }
            Ok(())
        })
    }

    /// A plugin's manifest.
    #[must_use]
    pub fn manifest(&self, id: &str) -> Option<Arc<Manifest>> {
        self.lock().installed.get(id).map(|installed| Arc::clone(&installed.plugin.core.manifest))
    }

    fn with(&self, id: &str, change: impl FnOnce(&mut Installed, &[Arc<str>])) -> Result<(), HostError> {
        self.change(|catalogue, _| {
            let domains = catalogue.domains.clone();
            let installed = catalogue.installed.get_mut(id).ok_or_else(|| HostError::Unknown(id.to_owned()))?;
            change(installed, &domains);
            Ok(())
        })
    }

    /// Tries a change on a copy; takes it over only if everything fits.
    fn change(&self, change: impl FnOnce(&mut Catalogue, &Self) -> Result<(), HostError>) -> Result<(), HostError> {
        let mut current = self.lock();
        let mut changed = current.clone();
        let before = self.registry.load().len();
        let tried = change(&mut changed, self).and_then(|()| changed.distinct_operations());
        let tried = tried.and_then(|()| Ok((changed.configs()?, changed.listeners()?)));
        let tried = tried.and_then(|configs| self.replan(&changed).map(|()| configs));
        let (configs, listeners) = tried.inspect_err(|_| self.unregister(before))?;
        let begun: Vec<_> = changed
            .plugins()
            .filter_map(|(plugin, domains)| {
                let before = current.installed.get(&plugin.core.id).filter(|old| Arc::ptr_eq(&old.plugin, &plugin));
                let news = |domain: &&Arc<str>| {
                    let config =
                        configs.iter().find(|(of, _)| Arc::ptr_eq(of, &plugin)).and_then(|(_, by)| by.get(*domain));
                    !before.is_some_and(|old| old.runs_for(domain)) || plugin.core.configs.load().get(*domain) != config
                };
                let fresh: Vec<_> = domains.iter().filter(news).cloned().collect();
                (!fresh.is_empty()).then_some((plugin, fresh))
            })
            .collect();
        for (plugin, by_domain) in configs {
            plugin.core.configs.store(Arc::new(by_domain));
        }
        for (id, old) in &current.installed {
            if !changed.installed.get(id).is_some_and(|new| Arc::ptr_eq(&new.plugin, &old.plugin)) {
                self.retire(&old.plugin);
            }
        }
        *current = changed;
        self.generation.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        if let Some(wires) = self.services.wires.get() {
            wires.service.arrange(listeners);
        }
        drop(current);
        if self.running.load(std::sync::atomic::Ordering::Acquire) {
            for (plugin, domains) in begun {
                self.begin(&plugin, &domains);
            }
        }
        Ok(())
    }

    pub(super) fn replan(&self, catalogue: &Catalogue) -> Result<(), HostError> {
        self.services.swap(catalogue.plans()?);
        Ok(())
    }

    fn mould(&self, package: &Package) -> Result<Mould, HostError> {
        let component = self.engine.compile(package.manifest.id(), &package.component)?;
        Mould::new(&self.engine.engine, &component, &package.manifest)
    }

    /// Gives a plugin its index; nobody calls it before a plan names it. An instance
    /// is made on trial, so that what cannot start is not taken.
    fn register(&self, manifest: Manifest, mould: Mould) -> Result<Arc<Plugin>, HostError> {
        let index = PluginIndex(u32::try_from(self.registry.load().len()).unwrap_or(u32::MAX));
        let plugin = Arc::new(Plugin::new(self.core(index, manifest), Arc::clone(&self.engine), mould));
        plugin.try_start().map_err(|fault| HostError::component(&plugin.core.id, fault))?;
        self.registry.rcu(|registry| {
            let mut registry = (**registry).clone();
            registry.push(Some(Arc::clone(&plugin)));
            registry
        });
        Ok(plugin)
    }

    fn core(&self, index: PluginIndex, manifest: Manifest) -> Arc<Core> {
        let services = &self.services;
        let own = manifest.stores.iter().map(|spec| StoreSlot {
            table: services.store.table(&spec.table),
            name: Arc::clone(&spec.table),
            shape: spec.shape,
            scope: spec.scope,
            class: spec.class,
            quota_rows: spec.quota_rows,
            quota_bytes: spec.quota_bytes,
            marks: spec.marks.clone(),
            text: spec.text.clone(),
            own: true,
        });
        let views = manifest.needs.views.iter().map(|view| StoreSlot {
            table: services.store.table(&view.table),
            name: Arc::clone(&view.table),
            shape: Shape::Kv,
            scope: Scope::Key,
            class: Class::Durable,
            quota_rows: 0,
            quota_bytes: 0,
            marks: Vec::new(),
            text: None,
            own: false,
        });
        let stores: Vec<_> = own.chain(views).collect();
        for slot in stores.iter().filter(|slot| slot.own && slot.class != Class::Volatile) {
            services.know(slot.table, slot.shape, slot.scope);
        }
        for spec in manifest.stores.iter().filter(|spec| spec.early && spec.shape == Shape::Kv) {
            services.know_early(services.store.table(&spec.table));
        }
        // One for each entry, then relays, then answers, then timers.
        let entries = manifest.hooks.len() + manifest.iqs.len() + manifest.events.len();
        let sites = entries + manifest.operations.len() + 3;
        let default_config = manifest.config.resolve(&Value::Null).unwrap_or_else(|_| serde_json::json!({}));
        let default_config = Arc::new(Configured::new(&manifest, &default_config));
        let core = Arc::new(Core {
            index,
            id: manifest.id().into(),
            services: Arc::clone(services),
            stores,
            configs: ArcSwap::default(),
            default_config,
            log_rate: Default::default(),
            status: Mutex::default(),
            counters: Default::default(),
            touched: (0..sites).map(|_| AtomicU64::new(0)).collect(),
            manifest: Arc::new(manifest),
        });
        text::index(&core);
        core
    }

    /// What was registered from this index on was not taken.
    fn unregister(&self, from: usize) {
        self.registry.rcu(|registry| {
            let kept = |(at, slot): (usize, &Option<Arc<Plugin>>)| slot.clone().filter(|_| at < from);
            registry.iter().enumerate().map(kept).collect::<Vec<_>>()
        });
    }

    /// Lets go of a version when no plan in use can name it any more.
    fn retire(&self, plugin: &Arc<Plugin>) {
        let (registry, index) = (Arc::clone(&self.registry), plugin.core.index);
        let forget = move || {
            registry.rcu(|registry| {
                let mut registry = (**registry).clone();
                if let Some(slot) = usize::try_from(index.0).ok().and_then(|at| registry.get_mut(at)) {
                    *slot = None;
                }
                registry
            });
        };
        if !self.running.load(std::sync::atomic::Ordering::Acquire) {
            return forget();
        }
        tokio::spawn(async move {
            tokio::time::sleep(LINGER).await;
            forget();
        });
    }
}
