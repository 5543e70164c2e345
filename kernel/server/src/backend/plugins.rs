use std::path::PathBuf;
use std::sync::Arc;

use xylem_hooks::HookPoint;
use xylem_ops::OpError;
use xylem_ops::backend::{Answer, Plugins};
use xylem_ops::plugin::{ChainPoint, ChainReport, PluginDetail, PluginRow};

use crate::instance::Instance;

/// `plugin.*` and `chain`
pub struct PluginBackend(pub Arc<Instance>);

impl Plugins for PluginBackend {
    fn list(&self) -> Answer<'_, Vec<PluginRow>> {
        Box::pin(async move { Ok(Vec::new()) })
    }

    fn info(&self, id: String) -> Answer<'_, PluginDetail> {
        Box::pin(async move { Err(OpError::NotFound(format!("there is no plugin {id}"))) })
    }

    fn install(&self, _package: PathBuf, _upgrade: bool) -> Answer<'_, PluginRow> {
        Box::pin(async move { Err(OpError::Unavailable("not yet".into())) })
    }

    fn enable(&self, id: String, _domain: Option<String>) -> Answer<'_, PluginRow> {
        Box::pin(async move { Err(OpError::NotFound(format!("there is no plugin {id}"))) })
    }

    fn disable(&self, id: String, _domain: Option<String>) -> Answer<'_, PluginRow> {
        Box::pin(async move { Err(OpError::NotFound(format!("there is no plugin {id}"))) })
    }

    fn remove(&self, id: String, _purge: bool) -> Answer<'_, ()> {
        Box::pin(async move { Err(OpError::NotFound(format!("there is no plugin {id}"))) })
    }

    fn chain(&self, point: Option<String>, domain: Option<String>) -> Answer<'_, ChainReport> {
        Box::pin(async move {
            let points = match &point {
                None => HookPoint::ALL.to_vec(),
                Some(name) => {
                    let known = HookPoint::ALL.iter().find(|p| p.name() == name);
                    let names = HookPoint::ALL.map(HookPoint::name).join(", ");
                    vec![*known.ok_or_else(|| OpError::Invalid(format!("no hook point {name}; there are {names}")))?]
                }
            };
            let mut report = ChainReport { points: Vec::new() };
            for plan in self.0.hosts.plans() {
                if domain.as_ref().is_some_and(|domain| domain != plan.domain()) {
                    continue;
                }
                for point in &points {
                    let steps = plan.describe(*point).lines().map(|line| line.trim().to_owned()).collect();
                    report.points.push(ChainPoint {
                        domain: plan.domain().to_owned(),
                        point: point.name().to_owned(),
                        steps,
                    });
                }
            }
            match (report.points.is_empty(), domain) {
                (true, Some(domain)) => Err(OpError::NotFound(format!("this server does not serve {domain}"))),
                _ => Ok(report),
            }
        })
    }
}
