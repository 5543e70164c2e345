//! Files that operations take and leave: on the command line they are named by path, elsewhere
//! they are uploads and exports in the data folder, and no face but the local one reaches further.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::caller::Face;
use crate::error::OpError;
use crate::kind::Kind;
use crate::operation::Spec;

/// How long an upload is kept for the operation it is meant for.
const KEPT: Duration = Duration::from_secs(3600);
/// How many are kept at once.
const MOST: usize = 16;
/// How many of one account.
const MOST_OF_ONE: usize = 6;
const MARK: &str = "upload-";

/// The two folders.
#[derive(Clone, Debug)]
pub struct Files {
    data: PathBuf,
    /// Whose uploads are, as far as this process took them.
    begun: Arc<Mutex<HashMap<String, Begun>>>,
}

#[derive(Debug)]
struct Begun {
    whose: String,
    at: SystemTime,
}

impl Files {
    /// In this data folder; nothing is made until it is needed.
    #[must_use]
    pub fn within(data: &Path) -> Self {
        let data = std::path::absolute(data).unwrap_or_else(|_| data.to_path_buf());
        Self { data, begun: Arc::default() }
    }

    /// Where exports lie that were not asked for on the command line.
    #[must_use]
    pub fn exports(&self) -> PathBuf {
        self.data.join("exports")
    }

    /// A name for a new upload of somebody and where to write it; old ones go.
    ///
    /// # Errors
    /// [`OpError::Unavailable`] if too many wait, his or of all, [`OpError::Failed`] if the folder cannot be made.
    pub fn begin_upload(&self, whose: &str) -> Result<(String, PathBuf), OpError> {
        let folder = self.uploads();
        let failed = |e: io::Error| OpError::Failed(format!("{}: {e}", folder.display()));
        make(&folder).map_err(failed)?;
        let waiting = sweep(&folder).map_err(failed)?;
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|_, upload| !is_old(upload.at));
        // Those count from the beginning, before there is anything of them on the disk.
        if waiting.max(begun.len()) >= MOST {
            return Err(OpError::Unavailable(format!("{MOST} uploads wait already; they are kept for an hour")));
        }
        if begun.values().filter(|upload| upload.whose == whose).count() >= MOST_OF_ONE {
            return Err(OpError::Unavailable(format!(
                "{MOST_OF_ONE} uploads of {whose} wait already; they are kept for an hour"
            )));
        }
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|e| OpError::Failed(e.to_string()))?;
        let name = random.iter().fold(MARK.to_owned(), |name, byte| format!("{name}{byte:02x}"));
        let path = folder.join(&name);
        begun.insert(name.clone(), Begun { whose: whose.to_owned(), at: SystemTime::now() });
        Ok((name, path))
    }

    /// Removes an upload, if it is there.
    pub fn end_upload(&self, name: &str) {
        if is_upload(name) {
            self.begun.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
            // Swept later if it cannot be removed now.
            let _ = fs::remove_file(self.uploads().join(name));
        }
    }

    /// Removes the uploads that are too old.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file not be removed.
    pub fn sweep(&self) -> io::Result<()> {
        match sweep(&self.uploads()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            swept => swept.map(drop),
        }
    }

    /// Those uploads that are named by arguments.
    pub(crate) fn named(&self, spec: &Spec, given: &Map<String, Value>) -> Vec<String> {
        let of_files = spec.arguments.iter().filter(|a| matches!(a.kind, Kind::Path | Kind::Upload));
        let names = of_files.filter_map(|argument| given.get(&*argument.name).and_then(Value::as_str));
        names.filter(|name| is_upload(name)).map(str::to_owned).collect()
    }

    /// The path that is meant by an argument of kind [`Kind::Path`] or [`Kind::Upload`].
    pub(crate) fn resolve(&self, kind: &Kind, face: Face, given: &str) -> Result<String, OpError> {
        let local = face == Face::CommandLine && given.starts_with('/');
        let path = match kind {
            _ if local => return Ok(given.to_owned()),
            Kind::Upload if is_upload(given) => {
                let path = self.uploads().join(given);
                if !is_there(&path) {
                    return Err(OpError::NotFound(format!("there is no upload {given}; they are kept for an hour")));
                }
                path
            }
            // What was exported elsewhere.
            Kind::Path if is_upload(given) && is_there(&self.uploads().join(given)) => self.uploads().join(given),
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

/// An upload that is not over.
fn is_there(path: &Path) -> bool {
    let written = fs::metadata(path).ok().filter(fs::Metadata::is_file).and_then(|about| about.modified().ok());
    written.is_some_and(|written| !is_old(written))
}

fn is_old(written: SystemTime) -> bool {
    SystemTime::now().duration_since(written).is_ok_and(|age| age > KEPT)
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
        if is_old(written) {
            fs::remove_file(entry.path())?;
        } else {
            left += 1;
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
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
        let (name, place) = files.begin_upload("a@b").unwrap();
        assert!(path(Face::Console, &name).unwrap().contains("/exports/"), "it is not there yet");
        fs::write(&place, "x").unwrap();
        assert_eq!(path(Face::Console, &name).unwrap(), place.to_str().unwrap());
    }

    #[test]
    fn an_upload_is_found_until_it_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::within(folder.path());
        let (name, path) = files.begin_upload("a@b").unwrap();
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
        for n in 0..MOST {
            fs::write(files.begin_upload(["a@b", "c@b", "d@b"][n / MOST_OF_ONE]).unwrap().1, "x").unwrap();
            let another = files.begin_upload("a@b");
            assert_eq!(another.is_ok(), n + 1 < MOST_OF_ONE, "{n}");
            another.iter().for_each(|(name, _)| files.end_upload(name));
        }
        assert!(matches!(files.begin_upload("e@b"), Err(OpError::Unavailable(_))));
    }

    #[test]
    fn what_is_old_is_no_upload_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::within(folder.path());
        files.sweep().unwrap();
        let (name, path) = files.begin_upload("a@b").unwrap();
        fs::write(&path, "x").unwrap();
        let old = SystemTime::now() - KEPT - Duration::from_secs(1);
        fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        assert!(matches!(files.resolve(&Kind::Upload, Face::Rest, &name), Err(OpError::NotFound(_))));
        files.sweep().unwrap();
        assert!(!path.exists());
    }
}
