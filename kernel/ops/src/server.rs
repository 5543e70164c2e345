//! `status`, `health` and `config.reload`: the server as a whole.

pub mod ending;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Roles};
use crate::operation::operation;
use ending::EndingReport;

/// How the server does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusReport {
    pub version: String,
    pub pid: u32,
    pub uptime_seconds: u64,
    pub domains: Vec<String>,
    /// What it listens on: `c2s 0.0.0.0:5222` and so on.
    pub listeners: Vec<String>,
    pub connections: u64,
    pub sessions: u64,
    pub plugins: u64,
    pub backend: String,
    pub data: String,
    /// Why it is unwell; empty when all is well.
    pub problems: Vec<String>,
    /// The end that is to come; null while none is planned.
    #[serde(default)]
    pub ending: Option<EndingReport>,
}

/// Whether the server can do its work; for probes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthReport {
    pub healthy: bool,
    pub problems: Vec<String>,
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReloadReport {
    /// In force now.
    pub applied: Vec<String>,
    /// Changed in the file, but only a restart brings it into force.
    pub restart: Vec<String>,
}

operation! {
    #[derive(Default)]
    Status {} -> StatusReport,
    name: "status",
    help: "Shows how the server does.",
    route: get "/status",
    arguments: [],
    result: "the status",
    roles: Roles::OVERSEE,
    about: About::Common,
    run: |_it, backend| backend.server.status(),
}

operation! {
    #[derive(Default)]
    Health {} -> HealthReport,
    name: "health",
    help: "Says whether the server can do its work.",
    route: get "/health",
    arguments: [],
    result: "the health",
    roles: Roles::OVERSEE,
    about: About::Common,
    run: |_it, backend| backend.server.health(),
}

operation! {
    #[derive(Default)]
    Reload {} -> ReloadReport,
    name: "config.reload",
    help: "Reads configuration and certificates again; says what was applied and what needs a restart.",
    route: post "/config/reload",
    arguments: [],
    result: "what was applied, and what was not",
    roles: Roles::OWN,
    about: About::Server,
    audit: |_it| "reload the configuration".to_owned(),
    run: |_it, backend| backend.server.reload(),
}
