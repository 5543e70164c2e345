//! `store.*`: what is on disk.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::backend::Answer;
use crate::operation::operation;
use crate::page::{Page, Paging};

/// A table of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableRow {
    /// `plugin/store`, or `kernel/..` for the server's own.
    pub table: String,
    /// The plugin, or `kernel`.
    pub owner: String,
    /// Entries, those of indexes included.
    pub entries: u64,
    /// Bytes of keys and values, before the database packs them.
    pub bytes: u64,
    /// Whether it has more: counting was given up after some seconds.
    pub partial: bool,
}

/// What reading everything found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScrubResult {
    /// Whether nothing is wrong.
    pub clean: bool,
    pub entries: u64,
    pub bytes: u64,
    /// Pieces of big values that belong to nothing: lost space, nothing worse.
    pub orphans: u64,
    /// What is wrong, at most 100 findings.
    pub damaged: Vec<String>,
    pub milliseconds: u64,
}

/// Who looks into the store.
pub trait Tables: Send + Sync {
    fn list(&self, paging: Paging) -> Answer<'_, Page<TableRow>>;
    /// [`crate::OpError::Conflict`] while another one runs.
    fn scrub(&self) -> Answer<'_, ScrubResult>;
}

operation! {
    #[derive(Default)]
    List { #[serde(flatten)] paging: Paging } -> Page<TableRow>,
    name: "store.list",
    help: "Lists the tables of the store with their sizes.",
    route: get "/store/tables",
    arguments: [],
    pages: ["table", "bytes", "entries"],
    result: "a page of tables",
    roles: Roles::OVERSEE,
    about: About::Common,
    run: |it, backend| backend.tables.list(it.paging),
}

operation! {
    #[derive(Default)]
    Scrub {} -> ScrubResult,
    name: "store.scrub",
    help: "Reads everything stored and verifies it, while the server runs.",
    route: post "/store/scrub",
    arguments: [],
    result: "what was found",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("Everything is read twice, which keeps the disk busy for a while. Nothing is changed."),
    audit: |_it| "read and verify the whole store".to_owned(),
    run: |_it, backend| backend.tables.scrub(),
}
