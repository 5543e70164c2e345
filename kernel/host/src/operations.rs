//! Operations, both ways: those that plugins contribute to the server's table, and the table
//! for plugins that are a face of it.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;
use xylem_hooks::Manifest;
use xylem_hooks::manifest::OperationSpec;
use xylem_stanza::FullJid;

/// Operations under way that plugins have called.
const MOST: usize = 256;

/// Who asks a plugin. The table has made sure that he may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationCaller {
    /// An account's address, or how the server calls whoever has none: `root`.
    pub who: String,
    /// `user`, `auditor`, `operator`, `administrator` or `owner`.
    pub role: String,
}

/// Why an operation was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperationRefusal {
    /// The caller's mistake.
    #[error("there is no such operation")]
    Unknown,
    /// The caller's mistake: which argument, and what would be right.
    #[error("{0}")]
    Invalid(String),
    /// The caller may not.
    #[error("{0}")]
    Denied(String),
    /// What it is about does not exist.
    #[error("{0}")]
    Missing(String),
    /// It clashes with what is there, or the plugin is off where it is asked.
    #[error("{0}")]
    Conflict(String),
    /// Later perhaps: the plugin is busy.
    #[error("{0}")]
    Unavailable(String),
    /// The plugin's or the server's mistake; the log says more.
    #[error("{0}")]
    Failed(String),
}

/// An operation that an installed plugin contributes.
#[derive(Debug, Clone)]
pub struct ContributedOperation {
    manifest: Arc<Manifest>,
    at: usize,
    /// The domains it runs for.
    pub domains: Vec<Arc<str>>,
}

impl ContributedOperation {
    pub(crate) fn of(manifest: &Arc<Manifest>, domains: &[Arc<str>]) -> impl Iterator<Item = Self> {
        let one = |at| Self { manifest: Arc::clone(manifest), at, domains: domains.to_vec() };
        (0..manifest.operations.len()).map(one)
    }

    /// The plugin's name.
    #[must_use]
    pub fn plugin(&self) -> &str {
        self.manifest.id()
    }

    /// What the manifest says of it.
    #[must_use]
    pub fn spec(&self) -> Option<&OperationSpec> {
        self.manifest.operations.get(self.at)
    }
}

/// Who is behind the stanza that made a plugin call an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationActor {
    /// His session.
    pub session: FullJid,
    /// Its network address.
    pub peer: Option<IpAddr>,
}

/// The answer of an operation, when it comes.
pub type OperationAnswer = Pin<Box<dyn Future<Output = Result<Value, OperationRefusal>> + Send>>;

/// The server's table of operations, for plugins that are granted `operations`. It decides
/// what the actor may do.
pub trait OperationTable: Send + Sync + 'static {
    /// What the actor may call: the array that `xylem:admin/table.list` gives.
    fn list(&self, actor: &OperationActor) -> Value;

    /// Calls an operation in the actor's name.
    fn call(&self, actor: OperationActor, name: String, arguments: Value) -> OperationAnswer;
}

/// The table as it is connected.
pub(crate) struct TablePort {
    pub(crate) table: Arc<dyn OperationTable>,
    pub(crate) places: Arc<Semaphore>,
}

impl TablePort {
    pub(crate) fn new(table: Arc<dyn OperationTable>) -> Self {
        Self { table, places: Arc::new(Semaphore::new(MOST)) }
    }
}

/// A call that a plugin makes when its turn has ended well.
pub(crate) struct TableCall {
    pub(crate) actor: OperationActor,
    pub(crate) name: String,
    pub(crate) arguments: Value,
    pub(crate) token: String,
}
