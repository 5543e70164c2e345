//! What operations are carried out by. The server implements these traits; tests
//! put something else behind them.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use crate::audit::AuditLog;
use crate::caller::{Caller, Role};
use crate::data::{ExportRow, Exported, Imported};
use crate::device::{DeviceRow, Revoked};
use crate::error::OpError;
use crate::page::{Page, Paging};
use crate::plugin::{ChainReport, PluginDetail, PluginRow, Removed};
use crate::server::{HealthReport, ReloadReport, StatusReport};
use crate::session::{Ended, SessionRow};
use crate::token::{TokenGone, TokenMade, TokenRow, Wanted};
use crate::user::{Account, Which};

// Those that stand beside their operations.
pub use crate::about::Origins;
pub use crate::certificate::Certificates;
pub use crate::config::Settings;
pub use crate::domain::Domains;
pub use crate::federation::Federation;
pub use crate::log::Logs;
pub use crate::overview::Overview;
pub use crate::plugin::package::Packages;
pub use crate::plugin::setting::PluginConfiguration;
pub use crate::server::ending::Endings;
pub use crate::session::message::Callers;
pub use crate::stanza::Inspector;
pub use crate::store::Tables;
pub use crate::user::export::Dossiers;
pub use crate::user::factor::SecondFactors;
pub use crate::user::import::Bulk;
pub use crate::user::standing::Standing;

/// The result of an operation, when it is there.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, OpError>> + Send + 'a>>;

/// One server, seen by its operations.
#[derive(Clone)]
pub struct Backend {
    pub accounts: Arc<dyn Accounts>,
    pub sessions: Arc<dyn Sessions>,
    pub devices: Arc<dyn Devices>,
    pub plugins: Arc<dyn Plugins>,
    pub data: Arc<dyn Data>,
    pub server: Arc<dyn Server>,
    pub tokens: Arc<dyn Tokens>,
    /// Read by `audit.list`; written by the table.
    pub audit: Arc<AuditLog>,
    pub standing: Arc<dyn Standing>,
    pub bulk: Arc<dyn Bulk>,
    pub dossiers: Arc<dyn Dossiers>,
    pub callers: Arc<dyn Callers>,
    pub overview: Arc<dyn Overview>,
    pub packages: Arc<dyn Packages>,
    pub plugin_configuration: Arc<dyn PluginConfiguration>,
    pub certificates: Arc<dyn Certificates>,
    pub settings: Arc<dyn Settings>,
    pub domains: Arc<dyn Domains>,
    pub logs: Arc<dyn Logs>,
    pub inspector: Arc<dyn Inspector>,
    pub tables: Arc<dyn Tables>,
    pub endings: Arc<dyn Endings>,
    pub factors: Arc<dyn SecondFactors>,
    pub federation: Arc<dyn Federation>,
    pub origins: Arc<dyn Origins>,
}

pub trait Accounts: Send + Sync {
    /// [`OpError::Conflict`] if it exists, [`OpError::Invalid`] if name or password cannot be one.
    fn add(&self, account: String, password: String) -> Answer<'_, Account>;
    /// Removes it with everything plugins store for it, and ends its sessions.
    fn delete(&self, account: String) -> Answer<'_, ()>;
    fn set_password(&self, account: String, password: String) -> Answer<'_, ()>;
    /// In order of address unless they are sorted otherwise.
    fn list(&self, which: Which, paging: Paging) -> Answer<'_, Page<Account>>;
    fn show(&self, account: String) -> Answer<'_, Account>;
    /// What an account is to the server; [`OpError::NotFound`] if there is no such account.
    fn role(&self, account: String) -> Answer<'_, Role>;
    /// Makes it something else. [`OpError::Conflict`] if no owner would be left.
    fn set_role(&self, account: String, role: Role) -> Answer<'_, Account>;
}

pub trait Sessions: Send + Sync {
    /// Those of one account, of one domain, or all.
    fn list(&self, account: Option<String>, domain: Option<String>, paging: Paging) -> Answer<'_, Page<SessionRow>>;
    /// Ends one session, or all of the account.
    fn end(&self, account: String, resource: Option<String>) -> Answer<'_, Ended>;
}

pub trait Devices: Send + Sync {
    /// Those that could log in with a token now.
    fn list(&self, account: String, paging: Paging) -> Answer<'_, Page<DeviceRow>>;
    /// Ends the tokens and the sessions of one; [`OpError::NotFound`] if there is none.
    fn revoke(&self, account: String, id: String) -> Answer<'_, Revoked>;
}

pub trait Plugins: Send + Sync {
    fn list(&self, paging: Paging) -> Answer<'_, Page<PluginRow>>;
    fn info(&self, id: String) -> Answer<'_, PluginDetail>;
    /// Takes a package file in; refuses one that is installed already unless `upgrade`.
    fn install(&self, package: PathBuf, upgrade: bool) -> Answer<'_, PluginRow>;
    /// For one domain, or for all.
    fn enable(&self, id: String, domain: Option<String>) -> Answer<'_, PluginRow>;
    fn disable(&self, id: String, domain: Option<String>) -> Answer<'_, PluginRow>;
    /// What it stored stays, unless `purge`; then it need not be installed any more.
    fn remove(&self, id: String, purge: bool) -> Answer<'_, Removed>;
    /// The order in which plugins are called, at one hook point or at all.
    fn chain(&self, point: Option<String>, domain: Option<String>) -> Answer<'_, ChainReport>;
}

pub trait Tokens: Send + Sync {
    /// Makes one; [`OpError::NotFound`] if there is no such account.
    fn create(&self, wanted: Wanted) -> Answer<'_, TokenMade>;
    /// Those of one account, or all.
    fn list(&self, account: Option<String>, paging: Paging) -> Answer<'_, Page<TokenRow>>;
    /// One of them; [`OpError::NotFound`] if there is none.
    fn show(&self, id: String) -> Answer<'_, TokenRow>;
    /// Ends one, if it is of this account or no account is named; else [`OpError::NotFound`].
    fn revoke(&self, id: String, account: Option<String>) -> Answer<'_, TokenGone>;
    /// Whom a bearer token is for, as that account is now; none if it is no token, has expired or
    /// was revoked, or if its account may not sign in. `from` is for [`Caller::from`].
    fn bearer(&self, token: String, from: String) -> Answer<'_, Option<Caller>>;
}

pub trait Data: Send + Sync {
    /// Writes everything into a new file.
    fn export(&self, path: PathBuf) -> Answer<'_, Exported>;
    fn import(&self, path: PathBuf) -> Answer<'_, Imported>;
    /// The files among the exports.
    fn exports(&self, paging: Paging) -> Answer<'_, Page<ExportRow>>;
    /// One of them; [`OpError::NotFound`] if there is no such file.
    fn export_of(&self, path: PathBuf) -> Answer<'_, ExportRow>;
    fn delete_export(&self, path: PathBuf) -> Answer<'_, ExportRow>;
}

pub trait Server: Send + Sync {
    /// The domains that are served now.
    fn domains(&self) -> Vec<String>;
    fn status(&self) -> Answer<'_, StatusReport>;
    fn health(&self) -> Answer<'_, HealthReport>;
    /// Reads the configuration again and applies what can be applied.
    fn reload(&self) -> Answer<'_, ReloadReport>;
}
