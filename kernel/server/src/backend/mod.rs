//! How operations are carried out on a running server.

mod accounts;
mod bulk;
mod callers;
mod certificates;
mod data;
mod devices;
mod domains;
mod dossiers;
mod endings;
mod factors;
mod federation;
mod inspection;
mod logs;
mod origins;
mod overview;
mod packages;
mod plugins;
mod server;
mod sessions;
mod settings;
mod standing;
mod streams;
mod table;
mod tables;
mod tokens;

use std::sync::Arc;

use xylem_ops::{AuditLog, Backend};

use crate::instance::Instance;
pub use streams::InstanceStreams;

/// All of it for one server.
pub fn of(instance: &Arc<Instance>, audit: Arc<AuditLog>) -> Backend {
    let this = || Arc::clone(instance);
    let settings = Arc::new(settings::SettingsBackend::new(this()));
    let packages = Arc::new(packages::PackageBackend(this()));
    Backend {
        accounts: Arc::new(accounts::AccountBackend(this())),
        sessions: Arc::new(sessions::SessionBackend(this())),
        devices: Arc::new(devices::DeviceBackend(this())),
        plugins: Arc::new(plugins::PluginBackend(this())),
        data: Arc::new(data::DataBackend(this())),
        server: Arc::new(server::ServerBackend(this())),
        standing: Arc::new(standing::StandingBackend(this())),
        bulk: Arc::new(bulk::BulkBackend(this())),
        dossiers: Arc::new(dossiers::DossierBackend(this())),
        callers: Arc::new(callers::CallerBackend(this())),
        overview: Arc::new(overview::OverviewBackend(this())),
        packages: Arc::clone(&packages) as Arc<_>,
        plugin_configuration: packages,
        certificates: Arc::new(certificates::CertificateBackend(this())),
        settings: Arc::clone(&settings) as Arc<_>,
        domains: Arc::new(domains::DomainBackend { instance: this(), settings }),
        logs: Arc::new(logs::LogBackend),
        inspector: Arc::new(inspection::InspectionBackend(this())),
        endings: Arc::new(endings::EndingBackend(this())),
        factors: Arc::new(factors::FactorBackend(this())),
        federation: Arc::new(federation::FederationBackend(this())),
        tables: Arc::new(tables::TableBackend::new(this())),
        tokens: Arc::new(tokens::TokenBackend::new(this())),
        origins: Arc::new(origins::OriginBackend(this())),
        audit,
    }
}
