use std::path::PathBuf;
use std::sync::Arc;

use xylem_hooks::HookPoint;
use xylem_host::{PluginInfo, State};
use xylem_ops::backend::{Answer, Plugins};
use xylem_ops::plugin::{ChainPoint, ChainReport, PluginDetail, PluginRow, Removed};
use xylem_ops::{Key, OpError, Page, Paging};

use crate::instance::Instance;

/// `plugin.*` and `chain`
pub struct PluginBackend(pub Arc<Instance>);

impl PluginBackend {
    /// Makes a change where it may take its time.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Instance) -> Result<T, OpError> + Send + 'static,
    ) -> Result<T, OpError> {
        let instance = Arc::clone(&self.0);
        let changed = tokio::task::spawn_blocking(move || work(&instance));
        changed.await.map_err(|_| OpError::Unavailable("the server is stopping".into()))?
    }
}

impl Plugins for PluginBackend {
    fn list(&self, paging: Paging) -> Answer<'_, Page<PluginRow>> {
        Box::pin(async move {
            let rows = self.0.plugins.info().into_iter().map(row);
            let rows = rows.filter(|row| paging.finds(&[&row.id, row.note.as_deref().unwrap_or_default()])).collect();
            let number = |number: u64| Key::Number(i64::try_from(number).unwrap_or(i64::MAX));
            paging.page(rows, |row| match paging.sort.as_deref() {
                Some("state") => (Key::Text(row.state.clone()), row.id.clone()),
                Some("calls") => (number(row.calls), row.id.clone()),
                Some("faults") => (number(row.faults), row.id.clone()),
                _ => (Key::Text(row.id.clone()), row.id.clone()),
            })
        })
    }

    fn info(&self, id: String) -> Answer<'_, PluginDetail> {
        Box::pin(async move {
            let info = self.0.plugins.find(&id)?;
            let (manifest, config, config_by_domain) = self.0.plugins.detail(&id);
            Ok(PluginDetail { description: info.summary.clone(), row: row(info), manifest, config, config_by_domain })
        })
    }

    fn install(&self, package: PathBuf, upgrade: bool) -> Answer<'_, PluginRow> {
        Box::pin(self.change(move |instance| instance.plugins.install(&package, upgrade).map(row)))
    }

    fn enable(&self, id: String, domain: Option<String>) -> Answer<'_, PluginRow> {
        Box::pin(self.change(move |instance| instance.plugins.enable(&id, domain.as_deref()).map(row)))
    }

    fn disable(&self, id: String, domain: Option<String>) -> Answer<'_, PluginRow> {
        Box::pin(self.change(move |instance| instance.plugins.disable(&id, domain.as_deref()).map(row)))
    }

    fn remove(&self, id: String, purge: bool) -> Answer<'_, Removed> {
        Box::pin(async move {
            let gone = id.clone();
            match self.change(move |instance| instance.plugins.remove(&gone)).await {
                // Removed earlier, and what it stored is to follow.
                Err(OpError::NotFound(_)) if purge && self.0.plugins.has_stored(&id).await? => {}
                removed => removed?,
            }
            if purge { self.0.plugins.purge(id).await } else { self.0.plugins.left_behind(id).await }
        })
    }

    fn chain(&self, point: Option<String>, domain: Option<String>) -> Answer<'_, ChainReport> {
        Box::pin(async move {
            let points = points(point.as_deref())?;
            let config = self.0.config.load();
            let mut report = ChainReport { points: Vec::new() };
            for name in config.domains.iter().map(|d| &d.name).filter(|name| domain.as_ref().is_none_or(|d| d == *name))
            {
                let Some(plan) = self.0.plugins.plan(name) else { continue };
                report.points.extend(points.iter().map(|point| ChainPoint {
                    domain: name.clone(),
                    point: point.name().to_owned(),
                    steps: plan.describe(*point).lines().map(|line| line.trim_end().to_owned()).collect(),
                }));
            }
            match domain {
                Some(domain) if report.points.is_empty() => {
                    Err(OpError::NotFound(format!("this server does not serve {domain}")))
                }
                _ => Ok(report),
            }
        })
    }
}

fn points(name: Option<&str>) -> Result<Vec<HookPoint>, OpError> {
    let Some(name) = name else { return Ok(HookPoint::ALL.to_vec()) };
    let names = || HookPoint::ALL.map(HookPoint::name).join(", ");
    let point = HookPoint::ALL.into_iter().find(|point| point.name() == name);
    point
        .map(|point| vec![point])
        .ok_or_else(|| OpError::Invalid(format!("no hook point {name}; there are {}", names())))
}

pub(super) fn row(info: PluginInfo) -> PluginRow {
    let state = match info.state {
        State::Running => "running",
        State::Off => "off",
        State::BackingOff { .. } => "backing-off",
        State::Disabled => "disabled",
        _ => "unknown",
    };
    let fault = info.last_fault.filter(|_| state != "running").map(|(_, what)| what);
    PluginRow {
        id: info.id,
        version: info.version,
        state: state.to_owned(),
        note: fault.or(info.status.map(|(_, text)| text)),
        domains: info.domains,
        calls: info.calls,
        faults: info.faults,
    }
}
