use std::fmt;
use std::fs::{self, File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::fjall::Fjall;
use super::layered::{Engine, Layered};
use super::sled::Sled;
use super::sled_files::sync;
use super::{Backend, memory};
use crate::committer::panic_text;
use crate::error::{Result, StoreError};
use crate::{export, import};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// sled 0.34.7, hardened.
    Sled,
    /// fjall 3.
    Fjall,
    /// Nothing is kept.
    Memory,
}

/// Why an engine did not open.
pub(super) enum Failure {
    /// Somebody, perhaps a handle of ours that is just being closed, holds it.
    Busy,
    /// The system refused; the database may be whole.
    Refused(StoreError),
    /// The database cannot be read.
    Damaged(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { .. } => Self::Damaged(error.to_string()),
            other => Self::Refused(other),
        }
    }
}

/// Opens the database of `kind` below `dir`, or makes it when there is none.
///
/// Below `dir` stand `lock`, the database (`sled` or `fjall`) and `exports`.
/// A database is made under a temporary name and renamed when it is on disk. A
/// damaged one is renamed to `sled.damaged-SECONDS` and replaced by the newest
/// whole export in `exports`, with an error in the log; without an export
/// nothing is touched and the opening fails. It is never silently empty.
///
/// # Errors
/// [`StoreError::Locked`], [`StoreError::Unopenable`], those of the backend.
pub fn open(kind: BackendKind, dir: &Path) -> Result<Arc<dyn Backend>> {
    if kind == BackendKind::Memory {
        return Ok(memory());
    }
    fs::create_dir_all(dir).map_err(|error| StoreError::io(dir, &error))?;
    let place = Place { kind, dir: dir.to_owned(), lock: Arc::new(lock(dir)?) };
    if !place.database().exists() {
        place.make()?;
    }
    match place.open_at(&place.database(), Age::Old) {
        Ok(backend) => Ok(backend),
        Err(Failure::Damaged(message)) => place.restore(&message),
        Err(Failure::Refused(error)) => Err(error),
        Err(Failure::Busy) => Err(StoreError::Locked(place.database())),
    }
}

fn layered<E: Engine>(engine: E, lock: Option<Arc<File>>, age: Age) -> Result<Arc<dyn Backend>> {
    Ok(match age {
        Age::New => Arc::new(Layered::make(engine, lock)?),
        Age::Old => Arc::new(Layered::new(engine, lock)?),
    })
}

/// Whether a database is being made or was made before.
#[derive(Clone, Copy)]
enum Age {
    New,
    Old,
}

/// A directory with a database in it.
struct Place {
    kind: BackendKind,
    dir: PathBuf,
    lock: Arc<File>,
}

impl Place {
    fn database(&self) -> PathBuf {
        self.dir.join(self.kind.to_string())
    }

    fn variant(&self, suffix: &str) -> PathBuf {
        self.dir.join(format!("{}.{suffix}", self.kind))
    }

    /// There is no database: finishes a restore that was cut short, or makes one.
    fn make(&self) -> Result<()> {
        let restored = self.variant("restored");
        if restored.exists() {
            tracing::warn!(path = %restored.display(), "finishing a restore that was cut short");
            return self.rename(&restored, &self.database());
        }
        if let Some(damaged) = self.damaged()? {
            let message = "it was set aside as damaged and nothing took its place";
            return Err(StoreError::Unopenable { path: damaged, message: message.into() });
        }
        let new = self.variant("creating");
        drop(self.make_at(&new)?);
        sync_tree(&new)?;
        self.rename(&new, &self.database())
    }

    fn make_at(&self, path: &Path) -> Result<Arc<dyn Backend>> {
        if path.exists() {
            fs::remove_dir_all(path).map_err(|error| StoreError::io(path, &error))?;
        }
        self.open_at(path, Age::New).map_err(|failure| match failure {
            Failure::Refused(error) => error,
            Failure::Busy => StoreError::Locked(path.to_owned()),
            Failure::Damaged(message) => StoreError::Unopenable { path: path.to_owned(), message: message.into() },
        })
    }

    /// Opens, tolerating panics (a damaged sled database mostly panics) and a
    /// handle that is just being closed.
    fn open_at(&self, path: &Path, age: Age) -> Result<Arc<dyn Backend>, Failure> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let attempt = catch_unwind(AssertUnwindSafe(|| self.open_engine(path, age)));
            match attempt.unwrap_or_else(|panic| Err(Failure::Damaged(panic_text(&*panic)))) {
                Err(Failure::Busy) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
                result => return result,
            }
        }
    }

    fn open_engine(&self, path: &Path, age: Age) -> Result<Arc<dyn Backend>, Failure> {
        let lock = Some(Arc::clone(&self.lock));
        Ok(match self.kind {
            BackendKind::Sled => layered(Sled::open(path)?, lock, age)?,
            BackendKind::Fjall => layered(Fjall::open(path)?, lock, age)?,
            BackendKind::Memory => memory(),
        })
    }

    /// Puts the newest whole export in the place of a damaged database.
    fn restore(&self, message: &str) -> Result<Arc<dyn Backend>> {
        let database = self.database();
        tracing::error!(path = %database.display(), message, "THE DATABASE IS DAMAGED; looking for an export");
        let Some(export) = self.import_newest()? else {
            return Err(StoreError::Unopenable { path: database, message: message.into() });
        };
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let aside = self.variant(&format!("damaged-{seconds}"));
        self.rename(&database, &aside)?;
        self.rename(&self.variant("restored"), &database)?;
        tracing::error!(
            export = %export.display(),
            damaged = %aside.display(),
            "THE DATABASE WAS DAMAGED AND HAS BEEN REPLACED BY AN EXPORT: everything after the export is only in the damaged one"
        );
        match self.open_at(&database, Age::Old) {
            Ok(backend) => Ok(backend),
            Err(_) => {
                Err(StoreError::Unopenable { path: database, message: "the restored database does not open".into() })
            }
        }
    }

    /// Fills `*.restored` from the newest export that is whole; tells which.
    fn import_newest(&self) -> Result<Option<PathBuf>> {
        for file in export::newest_first(&self.dir.join(export::DIRECTORY)) {
            let new = self.variant("creating");
            let backend = self.make_at(&new)?;
            match import::import(&file, &*backend) {
                Ok(_) => {}
                Err(error @ StoreError::BadExport { .. }) => {
                    tracing::error!(%error, "this export cannot be used");
                    continue;
                }
                Err(error) => return Err(error),
            }
            drop(backend);
            sync_tree(&new)?;
            let restored = self.variant("restored");
            if restored.exists() {
                fs::remove_dir_all(&restored).map_err(|error| StoreError::io(&restored, &error))?;
            }
            self.rename(&new, &restored)?;
            return Ok(Some(file));
        }
        Ok(None)
    }

    fn damaged(&self) -> Result<Option<PathBuf>> {
        let prefix = format!("{}.damaged-", self.kind);
        for entry in fs::read_dir(&self.dir).map_err(|error| StoreError::io(&self.dir, &error))? {
            let entry = entry.map_err(|error| StoreError::io(&self.dir, &error))?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                return Ok(Some(entry.path()));
            }
        }
        Ok(None)
    }

    /// Renames and makes the new name durable.
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(|error| StoreError::io(from, &error))?;
        sync(&self.dir)
    }
}

/// Our own lock comes first: not even the files of an open database may be tidied.
fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| StoreError::io(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(StoreError::io(&path, &error)),
    }
}

fn sync_tree(path: &Path) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| StoreError::io(path, &error))? {
            sync_tree(&entry.map_err(|error| StoreError::io(path, &error))?.path())?;
        }
    }
    sync(path)
}

impl FromStr for BackendKind {
    type Err = StoreError;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "sled" => Ok(Self::Sled),
            "fjall" => Ok(Self::Fjall),
            "memory" => Ok(Self::Memory),
            _ => Err(StoreError::UnknownBackend(name.into())),
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sled => "sled",
            Self::Fjall => "fjall",
            Self::Memory => "memory",
        })
    }
}
