//! `export` and `import`: everything the server stores, in one file.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::operation::operation;

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exported {
    pub path: PathBuf,
    pub rows: u64,
    pub bytes: u64,
}

/// What an import took in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    pub rows: u64,
}

operation! {
    Export { path: PathBuf } -> Exported,
    name: "export",
    help: "Writes everything stored into a new file, while the server runs.",
    route: post "/store/export",
    arguments: [Argument::required("path", Kind::Path, "the file to write; it must not exist")],
    result: "how much was written",
    roles: Roles::OWN,
    about: About::Server,
    audit: |it| format!("export everything to {}", it.path.display()),
    run: |it, backend| backend.data.export(it.path),
}

operation! {
    Import { path: PathBuf } -> Imported,
    name: "import",
    help: "Reads an exported file; rows of the same key are replaced.",
    route: post "/store/import",
    arguments: [Argument::required("path", Kind::Path, "a file written by `export`")],
    result: "how much was read",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("Rows of the same key are replaced by those of the file."),
    audit: |it| format!("import {}", it.path.display()),
    run: |it, backend| backend.data.import(it.path),
}
