//! `export` and `import`: everything the server stores, in one file; `export.*`: such files.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::operation::operation;
use crate::page::{Page, Paging};

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

/// A file among the exports, to be had below `/api/v1/exports/FILE/content`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportRow {
    /// Its name.
    pub file: String,
    pub bytes: u64,
    /// When it was written, in seconds since 1970 UTC.
    pub written: u64,
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
    arguments: [Argument::required("path", Kind::Path, "a file written by `export`, or an upload")],
    result: "how much was read",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::typed("path", "Rows of the same key are replaced by those of the file."),
    audit: |it| format!("import {}", it.path.display()),
    run: |it, backend| backend.data.import(it.path),
}

const FILE: Argument = Argument::required("file", Kind::Path, "the file, as export.list calls it");

operation! {
    #[derive(Default)]
    Exports { #[serde(flatten)] paging: Paging } -> Page<ExportRow>,
    name: "export.list",
    help: "Lists the files among the server's exports.",
    route: get "/exports",
    arguments: [],
    pages: ["file", "bytes", "written"],
    result: "a page of files",
    roles: Roles::OWN,
    about: About::Server,
    run: |it, backend| backend.data.exports(it.paging),
}

operation! {
    ShowExport { file: PathBuf } -> ExportRow,
    name: "export.show",
    help: "Shows one file among the server's exports; whoever may see it may download it.",
    route: get "/exports/{file}",
    arguments: [FILE],
    result: "the file",
    roles: Roles::OWN,
    about: About::Server,
    run: |it, backend| backend.data.export_of(it.file),
}

operation! {
    DeleteExport { file: PathBuf } -> ExportRow,
    name: "export.delete",
    help: "Deletes a file among the server's exports.",
    route: delete "/exports/{file}",
    arguments: [FILE],
    result: "the file that was",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("The file is deleted from the server's disk. What the server stores is not touched."),
    audit: |it| format!("delete the export {}", it.file.display()),
    run: |it, backend| backend.data.delete_export(it.file),
}
