//! A server that is not there: what tests and faces put in the place of parts that they do not need.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::about::{AboutReport, Origins};
use crate::audit::AuditLog;
use crate::backend::{Accounts, Answer, Backend, Data, Devices, Plugins, Server, Sessions, Tokens};
use crate::caller::{Caller, Role};
use crate::certificate::{CertificateRow, Certificates, Reread};
use crate::config::history::Version;
use crate::config::{ConfigReport, ConfigText, Preview, Saved, Settings};
use crate::data::{ExportRow, Exported, Imported};
use crate::device::{DeviceRow, Revoked};
use crate::domain::change::{DomainChanged, DomainWish};
use crate::domain::{DomainDetail, DomainRow, Domains};
use crate::error::OpError;
use crate::federation::{Federation, FederationReport};
use crate::log::{LogLevel, LogLine, Logs};
use crate::overview::{History, Overview, OverviewReport};
use crate::page::{Page, Paging};
use crate::plugin::package::{PackageReport, Packages, PluginUse};
use crate::plugin::setting::{PluginConfiguration, PluginSettings};
use crate::plugin::{ChainReport, PluginDetail, PluginRow, Removed};
use crate::server::ending::{Ending, EndingReport, Endings, StayReport};
use crate::server::{HealthReport, ReloadReport, StatusReport};
use crate::session::message::{Callers, Messaged, SessionDetail};
use crate::session::{Ended, SessionRow};
use crate::stanza::{Inspector, Unlocked};
use crate::store::{ScrubResult, TableRow, Tables};
use crate::token::{TokenGone, TokenMade, TokenRow, Wanted};
use crate::user::export::{Dossier, Dossiers};
use crate::user::factor::{FactorReport, SecondFactors};
use crate::user::import::{Bulk, ImportReport};
use crate::user::standing::{Reset, SignedOut, Standing};
use crate::user::{Account, Which};

/// Answers everything with [`OpError::Unavailable`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Absent;

impl Backend {
    /// Nothing is there; to be filled in: `Backend { accounts, ..Backend::absent(audit) }`.
    #[must_use]
    pub fn absent(audit: Arc<AuditLog>) -> Self {
        let nobody = Arc::new(Absent);
        Self {
            accounts: nobody.clone(),
            sessions: nobody.clone(),
            devices: nobody.clone(),
            plugins: nobody.clone(),
            data: nobody.clone(),
            server: nobody.clone(),
            tokens: nobody.clone(),
            standing: nobody.clone(),
            bulk: nobody.clone(),
            dossiers: nobody.clone(),
            callers: nobody.clone(),
            overview: nobody.clone(),
            packages: nobody.clone(),
            plugin_configuration: nobody.clone(),
            certificates: nobody.clone(),
            settings: nobody.clone(),
            domains: nobody.clone(),
            logs: nobody.clone(),
            inspector: nobody.clone(),
            tables: nobody.clone(),
            endings: nobody.clone(),
            factors: nobody.clone(),
            federation: nobody.clone(),
            origins: nobody,
            audit,
        }
    }
}

macro_rules! absent {
    ($($part:ident { $($call:ident($($argument:ty),*) -> $answer:ty;)* })*) => {
        $(impl $part for Absent {
            $(fn $call(&self, $(_: $argument),*) -> Answer<'_, $answer> {
                gone()
            })*
        })*
    };
}

absent! {
    Accounts {
        add(String, String) -> Account;
        delete(String) -> ();
        set_password(String, String) -> ();
        list(Which, Paging) -> Page<Account>;
        show(String) -> Account;
        role(String) -> Role;
        set_role(String, Role) -> Account;
    }
    Sessions {
        list(Option<String>, Option<String>, Paging) -> Page<SessionRow>;
        end(String, Option<String>) -> Ended;
    }
    Devices {
        list(String, Paging) -> Page<DeviceRow>;
        revoke(String, String) -> Revoked;
    }
    Plugins {
        list(Paging) -> Page<PluginRow>;
        info(String) -> PluginDetail;
        install(PathBuf, bool) -> PluginRow;
        enable(String, Option<String>) -> PluginRow;
        disable(String, Option<String>) -> PluginRow;
        remove(String, bool) -> Removed;
        chain(Option<String>, Option<String>) -> ChainReport;
    }
    Data {
        export(PathBuf) -> Exported;
        import(PathBuf) -> Imported;
        exports(Paging) -> Page<ExportRow>;
        export_of(PathBuf) -> ExportRow;
        delete_export(PathBuf) -> ExportRow;
    }
    Standing {
        set_disabled(String, bool) -> Account;
        reset(String, bool, bool) -> Reset;
        sign_out(String, bool) -> SignedOut;
    }
    Bulk { import(PathBuf, Option<String>, bool) -> ImportReport; }
    Dossiers { export(String, Option<String>) -> Dossier; }
    Callers {
        show(String, String) -> SessionDetail;
        message(String, Option<String>, Option<String>, String) -> Messaged;
    }
    Overview {
        now() -> OverviewReport;
        history(u64) -> History;
    }
    Packages {
        inspect(PathBuf) -> PackageReport;
        usage(String) -> PluginUse;
        rollback(String) -> PluginRow;
    }
    PluginConfiguration {
        show(String, Option<String>) -> PluginSettings;
        set(String, Option<String>, Map<String, Value>) -> PluginSettings;
    }
    Certificates {
        list(Paging) -> Page<CertificateRow>;
        reload() -> Reread;
        renew(String) -> CertificateRow;
    }
    Settings {
        show() -> ConfigReport;
        text() -> ConfigText;
        preview(String) -> Preview;
        with(String, String, Option<String>) -> Preview;
        save(String, Option<String>) -> Saved;
        history() -> Vec<Version>;
        version(u64) -> Preview;
    }
    Domains {
        list(Paging) -> Page<DomainRow>;
        show(String) -> DomainDetail;
        add(String, DomainWish, bool) -> DomainChanged;
        set(String, DomainWish, bool) -> DomainChanged;
        remove(String, bool) -> DomainChanged;
    }
    Logs {
        list(Option<String>, Option<String>, Paging) -> Page<LogLine>;
        set_level(String) -> LogLevel;
    }
    Tokens {
        create(Wanted) -> TokenMade;
        list(Option<String>, Paging) -> Page<TokenRow>;
        show(String) -> TokenRow;
        revoke(String, Option<String>) -> TokenGone;
        bearer(String, String) -> Option<Caller>;
    }
    Inspector { unlock(String, u64) -> Unlocked; }
    Tables {
        list(Paging) -> Page<TableRow>;
        scrub() -> ScrubResult;
    }
    Endings {
        plan(Ending, u64, Option<String>) -> EndingReport;
        call_off() -> StayReport;
        planned() -> Option<EndingReport>;
    }
    SecondFactors {
        show(String) -> FactorReport;
        reset(String) -> FactorReport;
    }
    Federation { show() -> FederationReport; }
    Origins { about() -> AboutReport; }
}

impl Server for Absent {
    fn domains(&self) -> Vec<String> {
        Vec::new()
    }

    fn status(&self) -> Answer<'_, StatusReport> {
        gone()
    }

    fn health(&self) -> Answer<'_, HealthReport> {
        gone()
    }

    fn reload(&self) -> Answer<'_, ReloadReport> {
        gone()
    }
}

fn gone<T: Send + 'static>() -> Answer<'static, T> {
    Box::pin(std::future::ready(Err(OpError::Unavailable("this part of the server is not there".into()))))
}
