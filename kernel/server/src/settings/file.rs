//! The file that the configuration is read from.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::past::Past;

/// The file, which may not be there yet.
pub struct File(pub PathBuf);

/// Why it was not written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    #[error("somebody else has changed {0} meanwhile; read it again")]
    Stale(String),
    #[error("{0}: {1}")]
    Io(String, io::Error),
}

impl File {
    /// What it says, and a mark by which a change of it is noticed. A file that is not there says nothing.
    pub fn read(&self) -> io::Result<(String, String)> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mark = mark(&text);
        Ok((text, mark))
    }

    /// Replaces its text as a whole; the one before is kept, and told apart from others by
    /// the number that comes back. With a mark only if it still is what it was.
    pub fn write(&self, text: &str, expected: Option<&str>, past: &Past) -> Result<(String, u64), Unwritten> {
        let io = |error| Unwritten::Io(self.0.display().to_string(), error);
        let (before, found) = self.read().map_err(io)?;
        if expected.is_some_and(|expected| expected != found) {
            return Err(Unwritten::Stale(self.0.display().to_string()));
        }
        let kept = past.keep(&before).map_err(io)?;
        self.put(text).map_err(io)?;
        Ok((before, kept))
    }

    /// Puts a text there, and nothing else.
    pub fn put(&self, text: &str) -> io::Result<()> {
        write_whole(&self.0, text)
    }
}

/// Writes a file so that it is the old or the new one, whatever happens; who may read it stays.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    // Behind a link is the file that is meant.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".xylem-").suffix(".new").tempfile_in(folder)?;
    if let Ok(old) = fs::metadata(&path) {
        new.as_file().set_permissions(old.permissions())?;
    }
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(&path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

fn mark(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_not_over_somebody_elses_change() {
        let folder = tempfile::tempdir().unwrap();
        let (file, past) = (File(folder.path().join("x.toml")), Past::of(folder.path()));
        let (text, empty) = file.read().unwrap();
        assert_eq!(text, "");
        file.write("a = 1\n", Some(&empty), &past).unwrap();
        assert!(matches!(file.write("a = 2\n", Some(&empty), &past), Err(Unwritten::Stale(_))));
        let (before, id) = file.write("a = 2\n", None, &past).unwrap();
        assert_eq!(past.text(id).unwrap().as_deref(), Some(before.as_str()));
        assert_eq!(file.read().unwrap().0, "a = 2\n");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
