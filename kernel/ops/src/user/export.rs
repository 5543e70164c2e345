//! `user.export`: everything the server keeps of somebody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;

/// What is kept of an account, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dossier {
    pub account: String,
    /// Seconds since 1970 UTC.
    pub created: u64,
    pub disabled: bool,
    /// When it was put together, likewise.
    pub exported: u64,
    /// Rows in order of table and key.
    pub rows: Vec<Kept>,
    /// What to give as `after` for the rest; null when this is the end.
    pub next: Option<String>,
}

/// A row that a plugin keeps under the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// `plugin/store`.
    pub table: String,
    /// Text if it is text, else base64 after `base64:`.
    pub key: String,
    /// JSON if it is that, else text, else base64 after `base64:`.
    pub value: serde_json::Value,
    /// For rows of archives: milliseconds since 1970 UTC, and with whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
}

impl ExportUser {
    /// Bytes of rows in one answer, about.
    pub const BYTES: usize = 8 << 20;
}

/// Who puts it together.
pub trait Dossiers: Send + Sync {
    fn export(&self, account: String, after: Option<String>) -> Answer<'_, Dossier>;
}

operation! {
    ExportUser { account: String, after: Option<String> } -> Dossier,
    name: "user.export",
    help: "Gives everything that the server and its plugins keep under an account, without its password's keys; about 8 MiB at a time.",
    route: post "/users/{account}/export",
    arguments: [
        Argument::required("account", Kind::Account, "the account's address, name@domain"),
        Argument::optional("after", Kind::Text { max: 16_384 }, "go on where the part before ended: its `next`"),
    ],
    result: "all rows, as JSON",
    roles: Roles::ADMINISTER.and_own(),
    about: About::account(),
    audit: |it| format!("export everything of {}", it.account),
    run: |it, backend| backend.dossiers.export(it.account, it.after),
}
