use std::sync::Arc;

use xylem_host::{PluginInfo, State};
use xylem_net::tls::Finding;
use xylem_ops::backend::Answer;
use xylem_ops::overview::{
    Area, CertificateState, History, Overview, OverviewReport, PluginStates, Problem, Severity, StoreState,
};

use super::certificates::{days_left, seconds};
use super::endings;
use crate::folder;
use crate::history;
use crate::instance::Instance;

/// Days before its end at which a certificate that cannot be renewed is an error.
const URGENT: i64 = 7;

/// `overview` and `overview.history`
pub struct OverviewBackend(pub Arc<Instance>);

impl OverviewBackend {
    /// Without what has to be read from the disk.
    pub fn report(&self) -> OverviewReport {
        let this = &*self.0;
        let health = this.store.health();
        let certificates = this.tls.certificates();
        let certificates = certificates.iter().map(|(domain, certificate)| CertificateState {
            domain: domain.clone(),
            valid_until: seconds(certificate.valid_until()),
            days_left: days_left(certificate),
        });
        OverviewReport {
            problems: self.problems(),
            ending: this.endings.planned().map(|planned| endings::report(this, planned)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: this.started.elapsed().as_secs(),
            domains: this.config.load().domains.iter().map(|d| d.name.clone()).collect(),
            connections: this.context.admission.count() as u64,
            sessions: this.sessions.count() as u64,
            hibernated: this.context.hibernation.waiting() as u64,
            accounts_online: this.sessions.accounts() as u64,
            latest: this.history.latest(),
            store: StoreState {
                backend: this.store.backend().name().to_owned(),
                bytes: None,
                disk_free: health.disk_free,
                writable: health.is_writable(),
                waiting: health.waiting as u64,
            },
            certificates: certificates.collect(),
            plugins: states(&this.plugins.info()),
        }
    }

    /// The worst first.
    fn problems(&self) -> Vec<Problem> {
        let this = &*self.0;
        let mut problems = Vec::new();
        let mut tell = |level, area, text| problems.push(Problem { level, area, text });
        let health = this.store.health();
        if let Some(reason) = &health.read_only {
            let text = format!("The store takes no writes until a restart: {reason}");
            tell(Severity::Error, Area::Store, text);
        }
        if health.disk_full {
            tell(Severity::Error, Area::Store, "The disk is nearly full: nothing more is stored".to_owned());
        }
        for finding in this.tls.findings() {
            let level = match finding {
                Finding::ExpiresSoon { .. } | Finding::WrongNames { .. } => Severity::Warning,
                _ => Severity::Error,
            };
            tell(level, Area::Certificates, capital(&finding.to_string()));
        }
        for (level, text) in self.not_issued() {
            tell(level, Area::Certificates, text);
        }
        for text in this.plugins.problems() {
            tell(Severity::Error, Area::Plugins, capital(&text));
        }
        for info in this.plugins.info().iter().filter(|info| !info.quarantined.is_empty()) {
            let text =
                format!("{} is left alone for {} accounts or rooms after faults", info.id, info.quarantined.len());
            tell(Severity::Warning, Area::Plugins, text);
        }
        for text in this.wires.problems() {
            tell(Severity::Warning, Area::Network, capital(&text));
        }
        problems.sort_by_key(|problem| (problem.level, problem.area));
        problems
    }

    /// Domains whose last order of a certificate failed, by ACME.
    fn not_issued(&self) -> Vec<(Severity, String)> {
        let in_use = self.0.tls.certificates();
        let config = self.0.config.load();
        let failed = config.domains.iter().filter_map(|domain| Some((domain, self.0.acme.state(domain).error?)));
        let told = failed.map(|(domain, error)| {
            let ascii = folder::ascii(&domain.name);
            let certificate = in_use.iter().find(|(name, _)| *name == ascii).map(|(_, certificate)| certificate);
            // With one that nobody trusts it is no better than with one that is over.
            let lasts = certificate.is_some_and(|it| !it.is_self_signed() && days_left(it) >= URGENT);
            let level = if lasts { Severity::Warning } else { Severity::Error };
            (level, format!("No new certificate for {ascii}: {error}"))
        });
        told.collect()
    }
}

impl Overview for OverviewBackend {
    fn now(&self) -> Answer<'_, OverviewReport> {
        Box::pin(async move {
            let backend = Arc::clone(self.0.store.backend());
            let bytes = tokio::task::spawn_blocking(move || backend.size().ok()).await.ok().flatten();
            let mut report = self.report();
            report.store.bytes = bytes;
            Ok(report)
        })
    }

    fn history(&self, since: u64) -> Answer<'_, History> {
        Box::pin(async move { Ok(History { every: history::EVERY.as_secs(), samples: self.0.history.since(since) }) })
    }
}

fn states(plugins: &[PluginInfo]) -> PluginStates {
    let mut states = PluginStates::default();
    for plugin in plugins {
        match plugin.state {
            State::Running => states.running += 1,
            State::Off => states.off += 1,
            _ => states.unwell.push(plugin.id.clone()),
        }
    }
    states
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
