//! Former texts of the configuration, in the data folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::file::write_whole;

/// Texts kept.
const KEPT: usize = 20;

/// The folder of former texts.
pub struct Past(PathBuf);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Names it; milliseconds since 1970 UTC at which it was replaced.
    pub id: u64,
    pub bytes: u64,
}

impl Past {
    pub fn of(data: &Path) -> Self {
        Self(data.join("configurations"))
    }

    /// The newest first.
    pub fn list(&self) -> io::Result<Vec<Version>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let version = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.ok()?;
            let id = entry.file_name().to_str()?.strip_suffix(".toml")?.parse().ok()?;
            Some(Version { id, bytes: entry.metadata().ok()?.len() })
        };
        let mut versions: Vec<_> = entries.filter_map(version).collect();
        versions.sort_unstable_by_key(|version| std::cmp::Reverse(version.id));
        Ok(versions)
    }

    /// None: there is no such version.
    pub fn text(&self, id: u64) -> io::Result<Option<String>> {
        match fs::read_to_string(self.path(id)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a text that is about to be replaced, and forgets the oldest.
    pub fn keep(&self, text: &str) -> io::Result<u64> {
        fs::create_dir_all(&self.0)?;
        let newest = self.list()?.first().map_or(0, |version| version.id);
        let id = now().max(newest + 1);
        write_whole(&self.path(id), text)?;
        for old in self.list()?.iter().skip(KEPT) {
            fs::remove_file(self.path(old.id))?;
        }
        Ok(id)
    }

    fn path(&self, id: u64) -> PathBuf {
        self.0.join(format!("{id}.toml"))
    }
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn the_newest_twenty_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let past = Past::of(folder.path());
        assert!(past.list().unwrap().is_empty());
        let ids: Vec<_> = (0..25).map(|n| past.keep(&format!("# {n}\n")).unwrap()).collect();
        let listed = past.list().unwrap();
        assert_eq!((listed.len(), listed[0].id), (KEPT, ids[24]));
        assert_eq!(past.text(ids[24]).unwrap().unwrap(), "# 24\n");
        assert_eq!(past.text(ids[0]).unwrap(), None);
    }
}
