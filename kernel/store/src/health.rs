//! Whether the store takes writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::committer::panic_text;
use crate::error::StoreError;

/// State of the store as an administrator wants to see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Why the store is read-only, if it is. It stays so until a restart.
    pub read_only: Option<Arc<str>>,
    /// Whether free disk space is below the low-water mark.
    pub disk_full: bool,
    /// Free bytes at the last look, where a file system is watched.
    pub disk_free: Option<u64>,
    /// Batches that wait for their commit.
    pub waiting: usize,
    /// Bytes in them.
    pub waiting_bytes: usize,
}

impl Health {
    /// Whether all writes are taken.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.read_only.is_none() && !self.disk_full
    }
}

/// The switch that a storage error throws. It cannot be put back: none of the
/// backends heals within a process.
#[derive(Debug, Default)]
pub(crate) struct Fuse {
    blown: AtomicBool,
    reason: OnceLock<Arc<str>>,
}

impl Fuse {
    pub(crate) fn blow(&self, error: &StoreError) {
        let reason: Arc<str> = error.to_string().into();
        if self.reason.set(Arc::clone(&reason)).is_ok() {
            tracing::error!(%reason, "storage error: the store is read-only until the server is restarted");
        }
        self.blown.store(true, Ordering::Release);
    }

    /// Runs a read of the backend: an error or a panic in it blows the fuse. A
    /// damaged sled database panics when it is read.
    pub(crate) fn guard<T>(
        &self,
        backend: &'static str,
        read: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let result = catch_unwind(AssertUnwindSafe(read));
        let result = result.unwrap_or_else(|panic| Err(StoreError::backend(backend, panic_text(&*panic))));
        // A file beside the database (an export) may fail without harm to it.
        if let Err(error @ (StoreError::Backend { .. } | StoreError::Damaged { .. })) = &result {
            self.blow(error);
        }
        result
    }

    /// One atomic load while all is well.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if !self.blown.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(StoreError::ReadOnly(self.reason().unwrap_or_default()))
    }

    pub(crate) fn reason(&self) -> Option<Arc<str>> {
        self.reason.get().cloned()
    }
}
