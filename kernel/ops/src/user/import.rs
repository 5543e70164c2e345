//! `user.import`: many accounts from one table.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;

/// What became of a table of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportReport {
    /// Whether nothing was done but looking.
    pub dry_run: bool,
    /// Rows read, without the head.
    pub rows: u64,
    /// Accounts created, or that would be.
    pub created: u64,
    /// Accounts that exist and were left as they are.
    pub existing: u64,
    /// What is wrong, at most 100 findings; a row that is wrong keeps no other from its account.
    pub errors: Vec<RowError>,
    /// Passwords that were made for rows without one, told this once.
    pub passwords: Vec<NewPassword>,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowError {
    /// The line it begins in, from 1.
    pub line: u64,
    pub problem: String,
}

/// An account and the password that was made for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewPassword {
    pub account: String,
    pub password: String,
}

impl ImportUsers {
    /// Longest table, in bytes.
    pub const BYTES: usize = 1 << 20;
    /// Most rows of one: each takes tens of milliseconds of a core for its keys.
    pub const ROWS: usize = 2000;
    /// Most findings told.
    pub const ERRORS: usize = 100;
}

/// Who creates many accounts.
pub trait Bulk: Send + Sync {
    /// Reads the table; creates accounts unless it is only to be looked at. With a domain no row
    /// may be of another. [`crate::OpError::Invalid`] if it is no such table, or too long.
    fn import(&self, file: PathBuf, domain: Option<String>, dry_run: bool) -> Answer<'_, ImportReport>;
}

operation! {
    ImportUsers { file: PathBuf, domain: Option<String>, #[serde(default)] dry_run: bool } -> ImportReport,
    name: "user.import",
    help: "Creates accounts from a table: CSV (RFC 4180) with the columns account, password and disabled, of which the last two may be left out.",
    route: post "/users/import",
    arguments: [
        Argument::required("file", Kind::Upload, "the table, with a first line that names the columns; at most 2000 rows and 1 MiB"),
        Argument::optional("domain", Kind::Domain, "the domain of names without one; rows of another are refused"),
        Argument::optional("dry_run", Kind::Flag, "whether only to look what would be done"),
    ],
    result: "what was created, what is wrong, and passwords that were made",
    roles: Roles::ADMINISTER,
    about: About::domain(),
    danger: Danger::confirm("Accounts are created for all rows that are right. Accounts that exist stay as they are."),
    audit: |it| format!("{} a table of accounts", if it.dry_run { "look at" } else { "import" }),
    run: |it, backend| backend.bulk.import(it.file, it.domain, it.dry_run),
}
