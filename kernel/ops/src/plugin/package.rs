//! `plugin.inspect` and `plugin.rollback`: packages before and after they run.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PluginRow;
use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;

/// What a package is and asks for, read from its manifest; nothing of it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackageReport {
    pub id: String,
    pub version: String,
    pub summary: String,
    pub license: String,
    /// SHA-256 of the package, in hexadecimal.
    pub fingerprint: String,
    pub bytes: u64,
    /// What it follows: `XEP-0045 1.35.1`.
    pub follows: Vec<String>,
    /// What it asks to be allowed, in sentences.
    pub grants: Vec<String>,
    /// What it may use at most, in sentences.
    pub limits: Vec<String>,
    /// The version that is installed, if one is.
    pub installed: Option<String>,
    /// Of the grants, those that the installed one has not.
    pub new_grants: Vec<String>,
    /// Grants of the installed one that this has not.
    pub lost_grants: Vec<String>,
}

/// A call that came to no end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// In milliseconds since 1970 UTC.
    pub at: u64,
    pub what: String,
}

/// How a plugin came to be what it is, and does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginUse {
    pub id: String,
    /// What it is allowed, in sentences.
    pub grants: Vec<String>,
    /// What it may use at most, in sentences.
    pub limits: Vec<String>,
    /// What it follows.
    pub follows: Vec<String>,
    pub calls: u64,
    pub faults: u64,
    /// Calls that were not made while it was left alone.
    pub refused: u64,
    /// Milliseconds spent in it: all calls, a call on average, the slowest.
    pub busy_ms: f64,
    pub mean_ms: f64,
    pub slowest_ms: f64,
    pub instances: u64,
    /// Bytes of memory of its instances.
    pub memory: u64,
    pub sends: u64,
    pub writes: u64,
    /// Lines of its log that were above its rate.
    pub log_dropped: u64,
    /// Accounts and other keys for which it is left alone after faults.
    pub quarantined: Vec<String>,
    /// How it failed last.
    pub last_fault: Option<Fault>,
    /// The version that `plugin.rollback` brings back.
    pub previous: Option<String>,
}

/// Who knows packages.
pub trait Packages: Send + Sync {
    fn inspect(&self, package: PathBuf) -> Answer<'_, PackageReport>;
    fn usage(&self, id: String) -> Answer<'_, PluginUse>;
    /// Exchanges the installed version with the one before; [`crate::OpError::Conflict`] if none is kept.
    fn rollback(&self, id: String) -> Answer<'_, PluginRow>;
}

const ID: Argument = Argument::required("id", Kind::Text { max: 64 }, "the plugin's id, such as xylem.ping");

operation! {
    Inspect { package: PathBuf } -> PackageReport,
    name: "plugin.inspect",
    help: "Reads a package without installing or running it: what it asks for, compared with the installed version.",
    route: get "/packages/inspect",
    arguments: [Argument::required("package", Kind::Upload, "a package file, as `xylem plugin build` makes it")],
    result: "what it is and asks for",
    roles: Roles::OWN,
    about: About::Server,
    run: |it, backend| backend.packages.inspect(it.package),
}

operation! {
    Usage { id: String } -> PluginUse,
    name: "plugin.usage",
    help: "Shows what a plugin is allowed, in plain words, and what it used.",
    route: get "/plugins/{id}/usage",
    arguments: [ID],
    result: "grants, limits and counts",
    roles: Roles::SEE.and(crate::caller::Rank::Auditor),
    about: About::Common,
    run: |it, backend| backend.packages.usage(it.id),
}

operation! {
    Rollback { id: String } -> PluginRow,
    name: "plugin.rollback",
    help: "Brings back the version of a plugin that was there before the last upgrade.",
    route: post "/plugins/{id}/rollback",
    arguments: [ID],
    result: "the plugin",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("The version before takes the place of the present one. What it stored stays; a newer version may have written what the older one does not know."),
    audit: |it| format!("bring back the version of {} before", it.id),
    run: |it, backend| backend.packages.rollback(it.id),
}
