//! `overview` and `overview.history`: how the server does, now and in the last hour.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;
use crate::server::ending::EndingReport;

/// How the server does, in one look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverviewReport {
    /// Why it is unwell or soon will be, the worst first; empty when all is well.
    pub problems: Vec<Problem>,
    /// The end of the server that is to come; null while none is planned.
    pub ending: Option<EndingReport>,
    pub version: String,
    pub uptime_seconds: u64,
    pub domains: Vec<String>,
    pub connections: u64,
    pub sessions: u64,
    /// Of these, those whose client is away and may come back (XEP-0198 §5).
    pub hibernated: u64,
    pub accounts_online: u64,
    /// The newest measurement; null in the first seconds after the start.
    pub latest: Option<Sample>,
    pub store: StoreState,
    pub certificates: Vec<CertificateState>,
    pub plugins: PluginStates,
}

/// Something that somebody should see to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    pub level: Severity,
    /// What it is about.
    pub area: Area,
    /// One sentence.
    pub text: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something soon will not, or works worse than it should.
    Warning,
}

/// The part of the server that something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    Store,
    Certificates,
    Plugins,
    Network,
}

/// The store in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoreState {
    /// `fjall`, `sled` or `memory`.
    pub backend: String,
    /// Bytes on disk, or in memory.
    pub bytes: Option<u64>,
    /// Free bytes of the disk at the last look.
    pub disk_free: Option<u64>,
    /// Whether writes are taken.
    pub writable: bool,
    /// Batches that wait for their commit.
    pub waiting: u64,
}

/// A certificate in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateState {
    pub domain: String,
    /// Seconds since 1970 UTC.
    pub valid_until: u64,
    /// Whole days until then; negative when it is over.
    pub days_left: i64,
}

/// How many plugins are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginStates {
    pub running: u64,
    /// Enabled for no domain.
    pub off: u64,
    /// Left alone or disabled after faults.
    pub unwell: Vec<String>,
}

/// What was measured over one interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The end of the interval, in milliseconds since 1970 UTC.
    pub at: u64,
    pub connections: u64,
    pub sessions: u64,
    /// Stanzas a second that clients sent.
    pub stanzas_in: f64,
    /// Stanzas a second that were queued for clients.
    pub stanzas_out: f64,
    /// Errors a second that the server answered with.
    pub errors: f64,
    /// Logins a second, and those that failed.
    pub logins: f64,
    pub logins_failed: f64,
    /// Group commits a second.
    pub commits: f64,
    /// What a commit took on average, in milliseconds; 0 without one.
    pub commit_ms: f64,
    /// How long work that was ready waited for a thread, in milliseconds.
    pub delay_ms: f64,
    /// Bytes of memory of the whole process; 0 where that cannot be told.
    pub memory: u64,
    /// Calls of plugins a second, and how much of one core they took, in percent.
    pub plugin_calls: f64,
    pub plugin_busy: f64,
}

/// The last hour, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// Seconds from one sample to the next.
    pub every: u64,
    pub samples: Vec<Sample>,
}

/// Who knows how the server does.
pub trait Overview: Send + Sync {
    fn now(&self) -> Answer<'_, OverviewReport>;
    /// The samples after this time, in milliseconds since 1970 UTC.
    fn history(&self, since: u64) -> Answer<'_, History>;
}

operation! {
    #[derive(Default)]
    Now {} -> OverviewReport,
    name: "overview",
    help: "Shows how the server does, problems first.",
    route: get "/overview",
    arguments: [],
    result: "the overview",
    roles: Roles::OVERSEE,
    about: About::Common,
    run: |_it, backend| backend.overview.now(),
}

operation! {
    #[derive(Default)]
    Past { since: Option<u64> } -> History,
    name: "overview.history",
    help: "Shows how the server did in the last hour, in steps of five seconds.",
    route: get "/overview/history",
    arguments: [Argument::optional("since", Kind::Time, "only what is newer, in seconds since 1970")],
    result: "the samples, oldest first",
    roles: Roles::OVERSEE,
    about: About::Common,
    run: |it, backend| backend.overview.history(it.since.unwrap_or(0).saturating_mul(1000)),
}
