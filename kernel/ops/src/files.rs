//! Files that operations take and leave: on the command line they are named by path, elsewhere
//! they are uploads and exports in the data folder, and no face but the local one reaches further.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::caller::Face;
use crate::error::OpError;
use crate::kind::Kind;

/// How long an upload is kept for the operation it is meant for.
const KEPT: Duration = Duration::from_secs(3600);
/// How many are kept at once.
const MOST: usize = 16;
const MARK: &str = "upload-";

/// The two folders.
#[derive(Clone, Debug)]
pub struct Files {
    data: PathBuf,
}

impl Files {
    /// In this data folder; nothing is made until it is needed.
    #[must_use]
    pub fn within(data: &Path) -> Self {
        Self { data: std::path::absolute(data).unwrap_or_else(|_| data.to_path_buf()) }
    }

    /// Where exports lie that were not asked for on the command line.
    #[must_use]
    pub fn exports(&self) -> PathBuf {
        self.data.join("exports")
    }

    /// A name for a new upload and where to write it; old ones go.
    ///
    /// # Errors
    /// [`OpError::Unavailable`] if too many wait, [`OpError::Failed`] if the folder cannot be made.
    pub fn begin_upload(&self) -> Result<(String, PathBuf), OpError> {
        let folder = self.uploads();
        let failed = |e: io::Error| OpError::Failed(format!("{}: {e}", folder.display()));
        make(&folder).map_err(failed)?;
        if sweep(&folder).map_err(failed)? >= MOST {
            return Err(OpError::Unavailable(format!("{MOST} uploads wait already; they are kept for an hour")));
        }
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|e| OpError::Failed(e.to_string()))?;
        let name = random.iter().fold(MARK.to_owned(), |name, byte| format!("{name}{byte:02x}"));
        let path = folder.join(&name);
        Ok((name, path))
    }

    /// Removes an upload, if it is there.
    pub fn end_upload(&self, name: &str) {
        if is_upload(name) {
            // Swept later if it cannot be removed now.
            let _ = fs::remove_file(self.uploads().join(name));
        }
    }

    /// The path that is meant by an argument of kind [`Kind::Path`] or [`Kind::Upload`].
    pub(crate) fn resolve(&self, kind: &Kind, face: Face, given: &str) -> Result<String, OpError> {
        let local = face == Face::CommandLine && given.starts_with('/');
        let path = match kind {
            _ if local => return Ok(given.to_owned()),
            Kind::Upload if is_upload(given) => {
                let path = self.uploads().join(given);
                if !path.is_file() {
                    return Err(OpError::NotFound(format!("there is no upload {given}; they are kept for an hour")));
                }
                path
            }
            // What was exported elsewhere.
            Kind::Path if is_upload(given) && self.uploads().join(given).is_file() => self.uploads().join(given),
            Kind::Path if is_plain(given) => {
                let folder = self.exports();
                make(&folder).map_err(|e| OpError::Failed(format!("{}: {e}", folder.display())))?;
                folder.join(given)
            }
            _ if face == Face::CommandLine => return Err(OpError::Invalid(format!("{given} is no absolute path"))),
            Kind::Upload => return Err(OpError::Invalid(format!("{given} is no upload's name"))),
            _ => return Err(OpError::Invalid(format!("{given} is no plain file name"))),
        };
        path.into_os_string().into_string().map_err(|_| OpError::Failed("the data folder's name is no text".into()))
    }

    fn uploads(&self) -> PathBuf {
        self.data.join("uploads")
    }
}

fn is_upload(name: &str) -> bool {
    name.strip_prefix(MARK).is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A name that stays in its folder and hides from nobody.
fn is_plain(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Removes what is too old; gives how many are left.
fn sweep(folder: &Path) -> io::Result<usize> {
    let mut left = 0;
    for entry in fs::read_dir(folder)?.filter_map(Result::ok) {
        let written = entry.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        if SystemTime::now().duration_since(written).is_ok_and(|age| age > KEPT) {
            fs::remove_file(entry.path())?;
        } else {
            left += 1;
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn only_the_local_face_names_paths() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::within(folder.path());
        let path = |face, given| files.resolve(&Kind::Path, face, given);
        assert_eq!(path(Face::CommandLine, "/etc/x"), Ok("/etc/x".to_owned()));
        for wrong in ["/etc/x", "../x", ".x", "a/b", ""] {
            assert!(path(Face::Rest, wrong).is_err(), "{wrong}");
        }
        assert!(path(Face::Console, "all.xylem").unwrap().ends_with("/exports/all.xylem"));
        let (name, place) = files.begin_upload().unwrap();
        assert!(path(Face::Console, &name).unwrap().contains("/exports/"), "it is not there yet");
        fs::write(&place, "x").unwrap();
        assert_eq!(path(Face::Console, &name).unwrap(), place.to_str().unwrap());
    }

    #[test]
    fn an_upload_is_found_until_it_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::within(folder.path());
        let (name, path) = files.begin_upload().unwrap();
        assert!(files.resolve(&Kind::Upload, Face::Rest, &name).is_err(), "not written yet");
        fs::write(&path, "x").unwrap();
        assert_eq!(files.resolve(&Kind::Upload, Face::Rest, &name).as_deref(), Ok(path.to_str().unwrap()));
        assert!(files.resolve(&Kind::Upload, Face::Rest, "/etc/passwd").is_err());
        files.end_upload(&name);
        assert!(!path.exists());
    }

    #[test]
    fn only_so_many_wait() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::within(folder.path());
        for _ in 0..MOST {
            fs::write(files.begin_upload().unwrap().1, "x").unwrap();
        }
        assert!(matches!(files.begin_upload(), Err(OpError::Unavailable(_))));
    }
}
