use std::sync::Arc;

use xylem_net::Security;
use xylem_ops::OpError;
use xylem_ops::backend::{Answer, Server};
use xylem_ops::server::{HealthReport, ReloadReport, StatusReport};

use super::endings::report;
use crate::instance::Instance;
use crate::reload::reload;

/// `status`, `health`, `config.reload`
pub struct ServerBackend(pub Arc<Instance>);

impl Server for ServerBackend {
    fn domains(&self) -> Vec<String> {
        self.0.config.load().domains.iter().map(|d| d.name.clone()).collect()
    }

    fn status(&self) -> Answer<'_, StatusReport> {
        Box::pin(async move {
            let this = &*self.0;
            let config = this.config.load();
            let listener = |(security, address)| match security {
                Security::StartTls => format!("{address} (STARTTLS)"),
                Security::DirectTls => format!("{address} (TLS)"),
            };
            let data = std::path::absolute(&config.server.data).unwrap_or_else(|_| config.server.data.clone());
            Ok(StatusReport {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                uptime_seconds: this.started.elapsed().as_secs(),
                domains: config.domains.iter().map(|d| d.name.clone()).collect(),
                listeners: this.addresses().map(listener).collect(),
                connections: this.context.admission.count() as u64,
                sessions: this.sessions.count() as u64,
                plugins: this.plugins.info().len() as u64,
                backend: config.store.backend.name().to_owned(),
                data: data.display().to_string(),
                problems: this.problems(),
                ending: this.endings.planned().map(|planned| report(this, planned)),
            })
        })
    }

    fn health(&self) -> Answer<'_, HealthReport> {
        Box::pin(async move {
            let problems = self.0.problems();
            Ok(HealthReport { healthy: problems.is_empty(), problems })
        })
    }

    fn reload(&self) -> Answer<'_, ReloadReport> {
        Box::pin(async move { reload(&self.0).map_err(|e| OpError::Invalid(format!("{e:#}"))) })
    }
}
