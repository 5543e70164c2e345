use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why the store did not do what was asked. Cheap to clone: one failed commit
/// is reported to everybody who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The backend failed (disk, file system or a damaged database). The store
    /// is read-only from then on; the process has to be restarted.
    #[error("the {backend} backend failed: {message}; the store is read-only until a restart")]
    Backend {
        /// Which backend.
        backend: &'static str,
        /// What it said.
        message: Arc<str>,
    },
    /// An earlier storage error made the store read-only. Nothing was written.
    #[error("the store is read-only after an earlier storage error: {0}")]
    ReadOnly(Arc<str>),
    /// Free disk space is below the low-water mark. Deletes are still taken.
    #[error("the disk is nearly full: {free} bytes free, {needed} wanted")]
    DiskFull {
        /// Bytes free for this process.
        free: u64,
        /// The low-water mark in bytes.
        needed: u64,
    },
    /// The caller's value, key or name is above the limit. Nothing was written.
    #[error("{what} of {size} bytes is above the limit of {limit}")]
    TooBig {
        /// What is too big.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// A stored entry fails its checksum or cannot be decoded.
    #[error("damaged entry in table {table}: {what}")]
    Damaged {
        /// The table.
        table: Arc<str>,
        /// What does not fit.
        what: Arc<str>,
    },
    /// The database does not open and there is no export to restore it from.
    /// Its directory was left as it is.
    #[error(
        "the database {path} does not open ({message}) and no usable export was found; repair or remove it by hand"
    )]
    Unopenable {
        /// The database directory.
        path: PathBuf,
        /// What the backend said.
        message: Arc<str>,
    },
    /// Another process holds the store's lock file.
    #[error("{0} is in use by another process")]
    Locked(PathBuf),
    /// A file operation outside of the database failed.
    #[error("{path}: {message}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        message: Arc<str>,
    },
    /// An export file is damaged or not an export.
    #[error("export file {path} is damaged at byte {position}: {what}")]
    BadExport {
        /// The file.
        path: PathBuf,
        /// Byte offset of the first record that cannot be used.
        position: u64,
        /// What is wrong there.
        what: Arc<str>,
    },
    /// An import was asked for into a database that holds data.
    #[error("the database to import into is not empty")]
    NotEmpty,
    /// An export is running; there can be one at a time, and no import meanwhile.
    #[error("an export is running")]
    Exporting,
    /// The requested backend does not exist.
    #[error("unknown storage backend {0:?}; there are sled, fjall and memory")]
    UnknownBackend(Arc<str>),
    /// The store has been shut down.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    pub(crate) fn backend(backend: &'static str, error: impl std::fmt::Display) -> Self {
        Self::Backend { backend, message: error.to_string().into() }
    }

    pub(crate) fn io(path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::Io { path: path.into(), message: error.to_string().into() }
    }

    pub(crate) fn damaged(table: &str, what: impl Into<Arc<str>>) -> Self {
        Self::Damaged { table: table.into(), what: what.into() }
    }
}

/// Result of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
