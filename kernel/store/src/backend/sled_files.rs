//! What has to be done to sled's files that sled does not do itself.

use std::fs::{self, File};
use std::path::Path;

use crate::error::{Result, StoreError};

/// Removes half-written snapshots. sled takes the file with the highest name
/// for its snapshot, also one that a crash cut short, and never opens again
/// (spacejam/sled#1533).
pub(super) fn before_open(dir: &Path) -> Result<()> {
    let entries = fs::read_dir(dir).map_err(|error| StoreError::io(dir, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| StoreError::io(dir, &error))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            tracing::warn!(file = %name, "removing a snapshot that a crash cut short");
            fs::remove_file(entry.path()).map_err(|error| StoreError::io(entry.path(), &error))?;
        }
    }
    Ok(())
}

/// Syncs what sled writes once and never syncs: the settings, the empty
/// directory of blobs, and the names of all files.
pub(super) fn after_open(dir: &Path) -> Result<()> {
    for name in ["conf", "db", "blobs", "."] {
        sync(&dir.join(name))?;
    }
    dir.parent().map_or(Ok(()), sync)
}

/// fsync of a file or directory.
pub(super) fn sync(path: &Path) -> Result<()> {
    let file = File::open(path).map_err(|error| StoreError::io(path, &error))?;
    file.sync_all().map_err(|error| StoreError::io(path, &error))
}
