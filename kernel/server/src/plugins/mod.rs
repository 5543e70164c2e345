//! The plugins of this server: where their packages are, and which run where.

use std::sync::Arc;
use std::time::Duration;

use xylem_hooks::{Manifest, Plan};
use xylem_router::Router;
use xylem_session::SessionTable;
use xylem_store::Store;

use crate::accounts::Accounts;
use crate::config::Config;

/// One plugin in numbers.
pub struct PluginNumbers {
    pub id: String,
    pub running: bool,
    pub calls: u64,
    pub faults: u64,
    /// Time spent in it.
    pub busy: Duration,
    /// Linear memory of its instances, in bytes.
    pub memory: u64,
}

pub struct PluginService {
    plans: Vec<Arc<Plan>>,
}

impl PluginService {
    pub async fn start(
        config: &Config,
        _store: &Store,
        _sessions: &Arc<SessionTable>,
        _accounts: &Accounts,
        _router: &Router,
    ) -> anyhow::Result<Self> {
        let plans = config.domains.iter().filter_map(|d| Plan::compile(&[], &d.name).ok()).map(Arc::new).collect();
        Ok(Self { plans })
    }

    pub fn plans(&self) -> Vec<Arc<Plan>> {
        self.plans.clone()
    }

    pub fn manifests(&self) -> Vec<Arc<Manifest>> {
        Vec::new()
    }

    pub fn metrics(&self) -> Vec<PluginNumbers> {
        Vec::new()
    }

    pub fn problems(&self) -> Vec<String> {
        Vec::new()
    }

    pub async fn configure(&self, _config: &Config) -> anyhow::Result<()> {
        Ok(())
    }

    pub async fn stop(&self) {}
}
