//! `log.*`: what the server told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;
use crate::page::{Page, Paging};

/// The words for levels, the most serious first.
pub const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// Rises by one with each line since the start.
    pub number: u64,
    /// Milliseconds since 1970 UTC.
    pub at: u64,
    /// One of [`LEVELS`].
    pub level: String,
    /// Where in the program.
    pub target: String,
    pub message: String,
    /// What it is about: `account`, `plugin` and so on.
    pub fields: BTreeMap<String, String>,
}

/// What is written from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLevel {
    /// In the words of the environment variable RUST_LOG.
    pub filter: String,
}

/// Who keeps the newest lines.
pub trait Logs: Send + Sync {
    /// The newest first; `level` and what is more serious.
    fn list(&self, level: Option<String>, plugin: Option<String>, paging: Paging) -> Answer<'_, Page<LogLine>>;
    /// Until the next start.
    fn set_level(&self, level: String) -> Answer<'_, LogLevel>;
}

operation! {
    #[derive(Default)]
    List { level: Option<String>, plugin: Option<String>, #[serde(flatten)] paging: Paging } -> Page<LogLine>,
    name: "log.list",
    help: "Shows the newest lines of the log, newest first, as far back as they are in memory: 10,000 lines.",
    route: get "/logs",
    arguments: [
        Argument::optional("level", Kind::choice(LEVELS), "this level and what is more serious; info unless given"),
        Argument::optional("plugin", Kind::Text { max: 64 }, "only lines of this plugin, or about it"),
    ],
    pages: [],
    result: "a page of lines",
    roles: Roles::OWN,
    about: About::Server,
    run: |it, backend| backend.logs.list(it.level, it.plugin, it.paging),
}

operation! {
    SetLevel { level: String } -> LogLevel,
    name: "log.level",
    help: "Changes what the log takes, until the next start.",
    route: put "/logs/level",
    arguments: [Argument::required("level", Kind::choice(LEVELS), "this level and what is more serious")],
    result: "what is written now",
    roles: Roles::OWN,
    about: About::Server,
    audit: |it| format!("set the log's level to {}", it.level),
    run: |it, backend| backend.logs.set_level(it.level),
}
