//! The files that the log lies in: `audit.log` is written to, and beside it lie those that were full or old enough,
//! `audit-000001.log` and so on. Their numbers only grow, and the file that is written to has the next one.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use super::AuditRow;
use super::turning::TURNED;

/// One of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) number: u64,
    pub(super) path: PathBuf,
}

impl Part {
    /// Its name, for people.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Where the file of this number lies once it is written to no more.
pub(super) fn shelved(current: &Path, number: u64) -> PathBuf {
    current.with_file_name(format!("{}-{number:06}.log", stem(current)))
}

/// All that are written to no more, the oldest first.
pub(super) fn all_shelved(current: &Path) -> io::Result<Vec<Part>> {
    let folder = current.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let before = format!("{}-", stem(current));
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix(&before).and_then(|rest| rest.strip_suffix(".log"));
        if let Some(number) = number.filter(|number| number.len() >= 6).and_then(|number| number.parse().ok()) {
            parts.push(Part { number, path });
        }
    }
    parts.sort_by_key(|part| part.number);
    Ok(parts)
}

/// The number of the file that is written to: it says so itself, unless it is the first or was never begun.
pub(super) fn number(current: &Path) -> io::Result<u64> {
    let after = all_shelved(current)?.last().map_or(1, |last| last.number.saturating_add(1));
    let said = first(&File::open(current)?)?.filter(|row| row.operation == TURNED);
    let said = said.and_then(|row| row.arguments.get("number")?.as_u64()).unwrap_or(1);
    Ok(said.max(after))
}

/// The first line of a file that can be read.
pub(super) fn first(file: &File) -> io::Result<Option<AuditRow>> {
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        if let Ok(row) = serde_json::from_slice(&line) {
            return Ok(Some(row));
        }
        line.clear();
    }
    Ok(None)
}

fn stem(current: &Path) -> String {
    current.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
