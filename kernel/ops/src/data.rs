//! `export` and `import`: everything the server stores, in one file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::argument::{Argument, Kind};
use crate::backend::{Answer, Backend};
use crate::caller::Permission;
use crate::operation::{Operation, Spec};

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    pub path: PathBuf,
    pub rows: u64,
    pub bytes: u64,
}

/// What an import took in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub rows: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Export {
    pub path: PathBuf,
}

impl Operation for Export {
    const SPEC: Spec = Spec {
        name: "export",
        help: "Writes everything stored into a new file, while the server runs.",
        arguments: &[Argument::required("path", Kind::Path, "the file to write; it must not exist")],
        result: "how much was written",
        permission: Permission::Own,
        changes: true,
    };
    type Output = Exported;

    fn audit(&self) -> String {
        format!("export everything to {}", self.path.display())
    }

    fn run(self, backend: &Backend) -> Answer<'_, Exported> {
        backend.data.export(self.path)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Import {
    pub path: PathBuf,
}

impl Operation for Import {
    const SPEC: Spec = Spec {
        name: "import",
        help: "Reads an exported file; rows of the same key are replaced.",
        arguments: &[Argument::required("path", Kind::Path, "a file written by `export`")],
        result: "how much was read",
        permission: Permission::Own,
        changes: true,
    };
    type Output = Imported;

    fn audit(&self) -> String {
        format!("import {}", self.path.display())
    }

    fn run(self, backend: &Backend) -> Answer<'_, Imported> {
        backend.data.import(self.path)
    }
}
