//! Looking at packages without running a server.

use std::sync::Arc;

use anyhow::Context as _;
use xylem_host::{Host, HostConfig, NoAccounts, Package, Settings};
use xylem_session::{Limits, SessionTable};
use xylem_store::Store;

use super::{collect, load_all, packages, settings};
use crate::config::Config;

/// Compiles one package by itself; gives a summary for people.
pub fn check_package(bytes: &[u8]) -> anyhow::Result<String> {
    let package = Package::from_bytes("the package", bytes.to_vec())?;
    let (manifest, text) = (package.manifest.clone(), package.manifest_text.clone());
    aside(|host| host.load_set(vec![(package, Settings::default())]).map_err(anyhow::Error::from))?;
    let mut summary = format!("{} {}: in order", manifest.id(), manifest.plugin.version);
    for hook in &manifest.hooks {
        summary.push_str(&format!("\n  hook   {} ({:?}) -> {}", hook.on.name(), hook.phase, hook.handler));
    }
    for iq in &manifest.iqs {
        summary.push_str(&format!("\n  iq     {{{}}}{} -> {}", iq.ns, iq.names.join("|"), iq.handler));
    }
    for operation in &manifest.operations {
        summary.push_str(&format!("\n  does   {} -> {}", operation.name, operation.handler));
    }
    for store in &manifest.stores {
        summary.push_str(&format!("\n  store  {}", store.name));
    }
    let table: toml::Table = text.parse()?;
    for (grant, what) in table.get("needs").and_then(toml::Value::as_table).into_iter().flatten() {
        summary.push_str(&format!("\n  needs  {grant} = {what}"));
    }
    Ok(summary)
}

/// Loads everything that a start would load.
pub fn check(config: &Config, errors: &mut Vec<String>, well: &mut Vec<String>) {
    let Some(folder) = packages::bundled(config) else {
        errors.push("plugins: none were found beside the program; set plugins.directory".to_owned());
        return;
    };
    let mut refused = Vec::new();
    let packages = match collect(config, &mut refused) {
        Ok(packages) => packages,
        Err(error) => return errors.push(format!("plugins: {error:#}")),
    };
    if let Err(problems) = settings::validate(config, packages.values().map(|p| &p.manifest)) {
        errors.extend(problems.0.iter().map(ToString::to_string));
    }
    let all = packages.into_values().map(|package| (package, Settings::default())).collect::<Vec<_>>();
    let count = all.len();
    let loaded = aside(|host| {
        load_all(host, all, &mut refused);
        Ok(())
    });
    if let Err(error) = loaded {
        errors.push(format!("plugins: {error:#}"));
    }
    let taken = count.saturating_sub(refused.len());
    errors.extend(refused.into_iter().map(|(name, why)| format!("plugin {name}: {why}")));
    well.push(format!("{taken} plugins in {}", folder.display()));
}

/// A host with nothing behind it.
fn aside<T>(work: impl FnOnce(&Host) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _inside = runtime.enter();
    let sessions = Arc::new(SessionTable::new(Limits::default()));
    let host = Host::new(HostConfig::new(&["localhost"]), Store::memory()?, sessions, Arc::new(NoAccounts))
        .context("plugins cannot run here")?;
    work(&host)
}
