//! A whole store as one file: the backup, and the way to another backend.
//!
//! Form: an 8-byte mark and a 4-byte version, then records, each `length`
//! (4 bytes), `CRC-32` of the body (4 bytes), body; numbers little-endian. A
//! body starts with its kind: `T` number (4), name: a table; `P` table (4), key
//! length (4), key, value: an entry; `D` table (4), key: the entry does not
//! exist; `E` puts (8), deletes (8): the end. Of several records about one
//! entry the last one holds.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::oneshot;

use crate::backend::{Backend, Scan};
use crate::error::{Result, StoreError};
use crate::queue::{Changed, Recorder};
use crate::store::Store;

/// Where below the store's directory exports are looked for when a database
/// has to be restored.
pub const DIRECTORY: &str = "exports";
/// File name extension of exports that count for a restore. The newest is the
/// one whose name sorts last.
pub const EXTENSION: &str = "xylem-export";

pub(crate) const MARK: &[u8; 8] = b"XYLEMEXP";
pub(crate) const VERSION: u32 = 1;

const PAGE_ENTRIES: usize = 64;
/// Rounds of catching up before the committer is asked to stand still.
const ROUNDS: usize = 8;
/// So few changed entries are written while the committer stands still.
const LAST_ROUND: usize = 256;

/// So many changed entries are noted before they are written.
const MOST_CHANGED: usize = 10_000;

/// What an export or import moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Records of entries written.
    pub puts: u64,
    /// Records of entries deleted while the export ran.
    pub deletes: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Store {
    /// Writes everything to `path` while the server runs. The file appears
    /// only when it is complete and on disk.
    ///
    /// It shows the store at one moment between two commits, shortly before
    /// this returns: what changes during the reading is read again, and the
    /// last few entries are read while the committer stands still.
    ///
    /// # Errors
    /// [`StoreError::Io`] for the file, [`StoreError::Exporting`], and those of the backend.
    pub async fn export(&self, path: &Path) -> Result<Counts> {
        let changed = Arc::new(Mutex::new(Changed::new()));
        self.start_recording(&changed).await?;
        let writer = self.write_beside_commits(path, Arc::clone(&changed)).await?;
        self.finish(writer, changed).await
    }

    async fn start_recording(&self, changed: &Arc<Mutex<Changed>>) -> Result<()> {
        let (sender, started) = oneshot::channel();
        let changed = Arc::downgrade(changed);
        let start = move |_: &dyn Backend, recorder: &mut Recorder| {
            let free = !recorder.is_recording();
            if free {
                recorder.changed = changed;
            }
            let _ = sender.send(free);
        };
        self.run_job(start).await;
        if started.await.map_err(|_| StoreError::Closed)? { Ok(()) } else { Err(StoreError::Exporting) }
    }

    async fn write_beside_commits(&self, path: &Path, changed: Arc<Mutex<Changed>>) -> Result<Writer> {
        let path = path.to_owned();
        self.read(move |backend| {
            let mut writer = Writer::create(&path)?;
            writer.write_all(backend, Some(&changed))?;
            for _ in 0..ROUNDS {
                let some = take(&changed);
                writer.write_changed(backend, &some)?;
                if some.len() <= LAST_ROUND {
                    break;
                }
            }
            Ok(writer)
        })
        .await
    }

    /// The last changes, with the committer standing still.
    async fn finish(&self, writer: Writer, changed: Arc<Mutex<Changed>>) -> Result<Counts> {
        let shelf = Arc::new(Mutex::new(Some(writer)));
        let (sender, done) = oneshot::channel();
        let job = {
            let shelf = Arc::clone(&shelf);
            move |backend: &dyn Backend, recorder: &mut Recorder| {
                recorder.changed = Weak::new();
                let changed = take(&changed);
                let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
                let result = shelf.as_mut().map_or(Ok(()), |writer| writer.write_changed(backend, &changed));
                let _ = sender.send(result);
            }
        };
        self.run_job(job).await;
        done.await.map_err(|_| StoreError::Closed)??;
        let writer = shelf.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(StoreError::Closed)?;
        self.read(move |_| writer.finish()).await
    }
}

/// Writes everything of a backend that nobody writes to meanwhile.
///
/// # Errors
/// As [`Store::export`].
pub fn export(backend: &dyn Backend, path: &Path) -> Result<Counts> {
    let mut writer = Writer::create(path)?;
    writer.write_all(backend, None)?;
    writer.finish()
}

/// Where an export made now (milliseconds since 1970) belongs below the store's directory.
#[must_use]
pub fn path_for(store: &Path, now_ms: u64) -> PathBuf {
    store.join(DIRECTORY).join(format!("{now_ms:015}.{EXTENSION}"))
}

/// The exports in a directory, newest (last by name) first.
#[must_use]
pub fn newest_first(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut exports: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == EXTENSION)).collect();
    exports.sort_unstable_by(|a, b| b.cmp(a));
    exports
}

fn lock(changed: &Mutex<Changed>) -> MutexGuard<'_, Changed> {
    changed.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(changed: &Mutex<Changed>) -> Changed {
    std::mem::take(&mut *lock(changed))
}

/// An export in the making, under a temporary name.
struct Writer {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    tables: HashMap<Arc<str>, u32>,
    counts: Counts,
}

/// A new file that its owner alone can read, as everything stored is in it. What another attempt has left goes,
/// and whatever somebody has put there meanwhile, be it a link, is not written to.
fn private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path)
}

impl Writer {
    fn create(path: &Path) -> Result<Self> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".part");
        let temporary = PathBuf::from(temporary);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| StoreError::io(parent, &error))?;
        }
        let file = private(&temporary).map_err(|error| StoreError::io(&temporary, &error))?;
        let mut writer = Self {
            path: path.to_owned(),
            temporary,
            file: BufWriter::with_capacity(1 << 18, file),
            tables: HashMap::new(),
            counts: Counts::default(),
        };
        writer.raw(MARK)?;
        writer.raw(&VERSION.to_le_bytes())?;
        Ok(writer)
    }

    /// `changed` is emptied on the way, so that it does not grow with the export.
    fn write_all(&mut self, backend: &dyn Backend, changed: Option<&Mutex<Changed>>) -> Result<()> {
        for name in backend.tables()? {
            let name: Arc<str> = name.into();
            let number = self.table(&name)?;
            let mut scan = Scan::all().limit(PAGE_ENTRIES);
            loop {
                let page = backend.scan(&name, &scan)?;
                let Some((last, _)) = page.last() else { break };
                scan = scan.after(last.clone());
                for (key, value) in &page {
                    self.put(number, key, value)?;
                }
                if let Some(changed) = changed.filter(|changed| lock(changed).len() >= MOST_CHANGED) {
                    self.write_changed(backend, &take(changed))?;
                }
                if page.len() < PAGE_ENTRIES {
                    break;
                }
            }
        }
        Ok(())
    }

    fn write_changed(&mut self, backend: &dyn Backend, changed: &Changed) -> Result<()> {
        for (name, key) in changed {
            let number = self.table(name)?;
            match backend.get(name, key)? {
                Some(value) => self.put(number, key, &value)?,
                None => {
                    self.counts.deletes += 1;
                    self.record(&[b"D", &number.to_le_bytes(), key])?;
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, table: u32, key: &[u8], value: &[u8]) -> Result<()> {
        self.counts.puts += 1;
        let key_length = u32::try_from(key.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.record(&[b"P", &table.to_le_bytes(), &key_length, key, value])
    }

    fn table(&mut self, name: &Arc<str>) -> Result<u32> {
        if let Some(number) = self.tables.get(name) {
            return Ok(*number);
        }
        let number = u32::try_from(self.tables.len()).unwrap_or(u32::MAX);
        self.tables.insert(Arc::clone(name), number);
        self.record(&[b"T", &number.to_le_bytes(), name.as_bytes()])?;
        Ok(number)
    }

    fn record(&mut self, parts: &[&[u8]]) -> Result<()> {
        let mut crc = crc32fast::Hasher::new();
        parts.iter().for_each(|part| crc.update(part));
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.raw(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes())?;
        self.raw(&crc.finalize().to_le_bytes())?;
        parts.iter().try_for_each(|part| self.raw(part))
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.counts.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| self.failed(&error))
    }

    /// The end mark, then the name: both on disk before this returns.
    fn finish(mut self) -> Result<Counts> {
        let (puts, deletes) = (self.counts.puts.to_le_bytes(), self.counts.deletes.to_le_bytes());
        self.record(&[b"E", &puts, &deletes])?;
        self.file.flush().map_err(|error| self.failed(&error))?;
        self.file.get_ref().sync_all().map_err(|error| self.failed(&error))?;
        fs::rename(&self.temporary, &self.path).map_err(|error| self.failed(&error))?;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = File::open(parent.unwrap_or(Path::new("."))).and_then(|directory| directory.sync_all());
        directory.map_err(|error| self.failed(&error))?;
        Ok(self.counts)
    }

    fn failed(&self, error: &io::Error) -> StoreError {
        StoreError::io(&self.temporary, error)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // After the rename there is nothing under this name.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[tokio::test]
    async fn an_export_is_its_owners_alone_and_goes_through_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("all"), folder.path().join("victim"));
        fs::write(&victim, "mine").unwrap();
        symlink(&victim, folder.path().join("all.part")).unwrap();
        Store::memory().unwrap().export(&path).await.unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert!(fs::read(&path).unwrap().starts_with(MARK));
    }
}
