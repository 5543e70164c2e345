use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use xylem_hooks::Manifest;
use xylem_host::{Package, PluginInfo};
use xylem_ops::OpError;
use xylem_ops::backend::Answer;
use xylem_ops::plugin::PluginRow;
use xylem_ops::plugin::package::{Fault, PackageReport, Packages, PluginUse};
use xylem_ops::plugin::setting::{PluginConfiguration, PluginSettings};

use super::plugins::row;
use crate::instance::Instance;
use crate::plugins::{THE_FILE, words};

/// `plugin.inspect`, `plugin.usage`, `plugin.rollback`, `plugin.config` and `plugin.configure`
pub struct PackageBackend(pub Arc<Instance>);

impl PackageBackend {
    /// Where it may take its time.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Instance) -> Result<T, OpError> + Send + 'static,
    ) -> Result<T, OpError> {
        let instance = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&instance)).await;
        done.map_err(|_| OpError::Unavailable("the server is stopping".into()))?
    }
}

impl Packages for PackageBackend {
    fn inspect(&self, package: PathBuf) -> Answer<'_, PackageReport> {
        Box::pin(self.aside(move |instance| inspect(instance, &package)))
    }

    fn usage(&self, id: String) -> Answer<'_, PluginUse> {
        Box::pin(self.aside(move |instance| {
            let info = instance.plugins.find(&id)?;
            let manifests = instance.plugins.manifests();
            let manifest = manifests.iter().find(|manifest| manifest.id() == id);
            let manifest = manifest.ok_or_else(|| OpError::NotFound(format!("there is no plugin {id}")))?;
            Ok(usage(info, manifest, instance.plugins.previous(&id)))
        }))
    }

    fn rollback(&self, id: String) -> Answer<'_, PluginRow> {
        Box::pin(self.aside(move |instance| instance.plugins.rollback(&id).map(row)))
    }
}

impl PluginConfiguration for PackageBackend {
    fn show(&self, id: String, domain: Option<String>) -> Answer<'_, PluginSettings> {
        Box::pin(async move { self.0.plugins.options(&id, domain.as_deref()) })
    }

    fn set(&self, id: String, domain: Option<String>, options: Map<String, Value>) -> Answer<'_, PluginSettings> {
        Box::pin(self.aside(move |instance| {
            instance.plugins.set_options(&id, domain.as_deref(), options)?;
            instance.plugins.options(&id, domain.as_deref())
        }))
    }
}

fn inspect(instance: &Instance, path: &Path) -> Result<PackageReport, OpError> {
    let package = Package::open_as(THE_FILE, path).map_err(|error| OpError::Invalid(error.to_string()))?;
    let manifest = &package.manifest;
    let installed = instance.plugins.manifests().into_iter().find(|known| known.id() == manifest.id());
    let grants = words::grants(manifest);
    let before: BTreeSet<_> = installed.iter().flat_map(|known| words::grants(known)).collect();
    let lost = before.iter().filter(|grant| !grants.contains(grant)).cloned().collect();
    let new = grants.iter().filter(|grant| !before.contains(*grant)).cloned().collect();
    let bytes = package.to_bytes();
    Ok(PackageReport {
        id: manifest.id().to_owned(),
        version: manifest.plugin.version.to_string(),
        summary: manifest.plugin.summary.to_string(),
        license: manifest.plugin.license.to_string(),
        fingerprint: Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
        bytes: bytes.len() as u64,
        follows: words::follows(manifest),
        limits: words::limits(manifest),
        installed: installed.map(|known| known.plugin.version.to_string()),
        new_grants: new,
        lost_grants: lost,
        grants,
    })
}

fn usage(info: PluginInfo, manifest: &Manifest, previous: Option<String>) -> PluginUse {
    let milliseconds = |nanos: u64| nanos as f64 / 1e6;
    PluginUse {
        id: info.id,
        grants: words::grants(manifest),
        limits: words::limits(manifest),
        follows: words::follows(manifest),
        calls: info.calls,
        faults: info.faults,
        refused: info.refused,
        busy_ms: milliseconds(info.nanos),
        mean_ms: if info.calls == 0 { 0.0 } else { milliseconds(info.nanos) / info.calls as f64 },
        slowest_ms: milliseconds(info.slowest),
        instances: info.instances as u64,
        memory: info.memory as u64,
        sends: info.sends,
        writes: info.writes,
        log_dropped: info.log_dropped,
        quarantined: info.quarantined,
        last_fault: info.last_fault.map(|(at, what)| Fault { at, what }),
        previous,
    }
}
