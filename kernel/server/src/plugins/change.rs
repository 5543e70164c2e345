//! Changes while the server runs. Each is tried on the host first, then written down.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use xylem_hooks::manifest::PluginId;
use xylem_host::{HostError, Package, PluginInfo, overlaid};
use xylem_ops::OpError;
use xylem_ops::plugin::Removed;
use xylem_store::StoreError;

use super::packages::THE_FILE;
use super::{PluginService, packages, settings};
use crate::config::{Config, Problems};

impl PluginService {
    /// Takes a package in and keeps it in the data folder. Compiles on this thread.
    pub fn install(&self, path: &Path, upgrade: bool) -> Result<PluginInfo, OpError> {
        self.take_in(Package::open_as(THE_FILE, path).map_err(refused)?, upgrade)
    }

    /// Exchanges the version in use with the one before the last upgrade.
    pub fn rollback(&self, id: &str) -> Result<PluginInfo, OpError> {
        self.find(id)?;
        let path = packages::previous(&self.config.load(), id);
        if !path.is_file() {
            return Err(OpError::Conflict(format!("no version of {id} before this one is kept")));
        }
        self.install(&path, true)
    }

    /// The version that a rollback brings back.
    pub fn previous(&self, id: &str) -> Option<String> {
        let package = Package::open(&packages::previous(&self.config.load(), id)).ok()?;
        Some(package.manifest.plugin.version.to_string())
    }

    fn take_in(&self, package: Package, upgrade: bool) -> Result<PluginInfo, OpError> {
        let id = package.manifest.id().to_owned();
        match (self.find(&id).is_ok(), upgrade) {
            (true, false) => return Err(OpError::Conflict(format!("{id} is installed already; upgrade it instead"))),
            (false, true) => return Err(unknown(&id)),
            _ => {}
        }
        let (bytes, text) = (package.to_bytes(), package.manifest_text.clone());
        let config = self.config.load();
        settings::validate(&config, std::iter::once(&package.manifest)).map_err(|e| OpError::Invalid(e.to_string()))?;
        let mut choices = self.known().choices.clone();
        if !upgrade {
            choices.enable(&id, None, &[]);
        }
        let lost = choices.fit(&package.manifest);
        self.host.install(package, settings::of(&config, &choices, &id)).map_err(refused)?;
        if !lost.is_empty() {
            tracing::warn!(plugin = id, "this version has no use for options that were set: {}", lost.join(", "));
        }
        let before = if upgrade { packages::put_aside(&config, &id) } else { Ok(()) };
        let mut known = self.known();
        known.texts.insert(id.clone(), text);
        known.refused.retain(|(name, _)| *name != id);
        known.choices = choices;
        let kept = before
            .and_then(|()| packages::keep(&config, &id, &bytes))
            .and_then(|()| known.choices.save(&config.server.data));
        drop(known);
        kept.map_err(unsaved)?;
        self.find(&id)
    }

    pub fn enable(&self, id: &str, domain: Option<&str>) -> Result<PluginInfo, OpError> {
        self.find(id)?;
        let config = self.config.load();
        let domains = self.named(&config, domain)?;
        let mut choices = self.known().choices.clone();
        choices.enable(id, domain, &config.domains.iter().map(|d| d.name.clone()).collect::<Vec<_>>());
        for domain in domains {
            let listed = config.domains.iter().any(|d| d.name == domain && d.enables(id));
            if !listed {
                let message = format!("the configuration does not list {id} under domains.{domain:?}.plugins");
                return Err(OpError::Conflict(message));
            }
            self.host.enable(id, Some(&domain)).map_err(refused)?;
        }
        self.write_down(&config, choices)?;
        self.find(id)
    }

    pub fn disable(&self, id: &str, domain: Option<&str>) -> Result<PluginInfo, OpError> {
        self.find(id)?;
        let config = self.config.load();
        self.named(&config, domain)?;
        self.host.disable(id, domain).map_err(refused)?;
        let mut choices = self.known().choices.clone();
        choices.disable(id, domain);
        self.write_down(&config, choices)?;
        self.find(id)
    }

    /// What it stored stays.
    pub fn remove(&self, id: &str) -> Result<(), OpError> {
        self.host.remove(id).map_err(refused)?;
        let config = self.config.load();
        let _ = std::fs::remove_file(packages::installed(&config).join(format!("{id}.wasm")));
        let _ = std::fs::remove_file(packages::previous(&config, id));
        let mut choices = self.known().choices.clone();
        choices.remove(id);
        self.write_down(&config, choices)
    }

    /// Deletes what a removed plugin has stored.
    pub async fn purge(&self, id: String) -> Result<Removed, OpError> {
        let purged = self.host.erase(&id).await.map_err(unreached)?;
        Ok(Removed { id, kept: false, purged: Some(purged) })
    }

    /// What is to be said of a plugin that was removed without that.
    pub async fn left_behind(&self, id: String) -> Result<Removed, OpError> {
        let kept = self.has_stored(&id).await?;
        Ok(Removed { id, kept, purged: None })
    }

    /// Whether something that the plugin has stored is there.
    pub async fn has_stored(&self, id: &str) -> Result<bool, OpError> {
        // Never the kernel's own tables.
        PluginId::try_from(id.to_owned()).map_err(OpError::Invalid)?;
        Ok(!self.host.stored_by(id).await.map_err(unreached)?.is_empty())
    }

    /// What is wrong with a configuration that is not in force.
    pub fn validate(&self, config: &Config) -> Result<(), Problems> {
        let manifests = self.manifests();
        settings::validate(config, manifests.iter().map(Arc::as_ref))
    }

    /// After a reload of the configuration: domains, where plugins run, how they are set.
    pub fn configure(&self, config: &Config) -> anyhow::Result<()> {
        let manifests = self.manifests();
        settings::validate(config, manifests.iter().map(Arc::as_ref))?;
        let choices = self.known().choices.clone();
        let domains = config.domains.iter().map(|d| d.name.as_str().into()).collect();
        let installed = self.host.info().into_iter();
        let settings = installed.map(|info| {
            let settings = settings::of(config, &choices, &info.id);
            (info.id, settings)
        });
        self.host.arrange(domains, settings.collect())?;
        self.config.store(Arc::new(config.clone()));
        Ok(())
    }

    pub fn find(&self, id: &str) -> Result<PluginInfo, OpError> {
        self.host.info().into_iter().find(|info| info.id == id).ok_or_else(|| unknown(id))
    }

    /// A plugin's manifest as it was written, and its settings with defaults: for all
    /// domains, and for those that set something by themselves.
    pub fn detail(&self, id: &str) -> (String, Value, BTreeMap<String, Value>) {
        let text = self.known().texts.get(id).cloned().unwrap_or_default();
        let config = self.config.load();
        let manifest = self.host.manifest(id);
        let resolved = |set: &Value| manifest.as_ref().and_then(|m| m.config.resolve(set).ok()).unwrap_or_default();
        let choices = self.known().choices.clone();
        let all = settings::for_all(&config, &choices, id);
        let domains = settings::by_domain(&config, &choices, id);
        let domains = domains.map(|(domain, one)| (domain.to_owned(), resolved(&overlaid(&all, Some(&one)))));
        (text, resolved(&all), domains.collect())
    }

    pub(super) fn named(&self, config: &Config, domain: Option<&str>) -> Result<Vec<String>, OpError> {
        let domains: Vec<_> = config.domains.iter().map(|d| d.name.clone()).collect();
        match domain {
            None => Ok(domains),
            Some(domain) if domains.iter().any(|d| d == domain) => Ok(vec![domain.to_owned()]),
            Some(domain) => Err(OpError::NotFound(format!("this server does not serve {domain}"))),
        }
    }

    pub(super) fn write_down(&self, config: &Config, choices: super::Choices) -> Result<(), OpError> {
        let mut known = self.known();
        known.choices = choices;
        known.choices.save(&config.server.data).map_err(unsaved)
    }
}

pub(super) fn unknown(id: &str) -> OpError {
    OpError::NotFound(format!("there is no plugin {id}"))
}

pub(super) fn refused(error: HostError) -> OpError {
    match error {
        HostError::Unknown(id) => unknown(&id),
        error => OpError::Invalid(error.to_string()),
    }
}

fn unreached(error: StoreError) -> OpError {
    OpError::Unavailable(format!("what it stored cannot be reached: {error}"))
}

fn unsaved(error: anyhow::Error) -> OpError {
    OpError::Failed(format!("done, but not kept for the next start: {error:#}"))
}
