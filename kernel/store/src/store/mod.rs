//! The handle to the store.

pub(crate) mod erase;
mod read;
mod shared;
mod submit;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;

pub(crate) use shared::Shared;

use crate::archive::{self, Archive, ArchiveClock};
use crate::backend::{self, Backend, BackendKind};
use crate::cache::PartitionCache;
use crate::committer::{self, Committer};
use crate::disk_space::DiskSpace;
use crate::error::{Result, StoreError};
use crate::health::Health;
use crate::kv::Kv;
use crate::metrics::{Metrics, MetricsSnapshot};
use crate::options::Options;
use crate::queue::Queue;
use crate::staging::Texts;
use crate::tables::{TableId, Tables};
use crate::text::TextOf;
use crate::turn::Turn;

pub use submit::NewRow;

/// A running store. Clones are handles to the same one; when the last is
/// dropped, what was submitted is committed and the committer ends.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens (or makes) the database in `dir`. See [`crate::backend::open`]
    /// for what happens to a damaged one.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Unopenable`] and those of the backend.
    pub fn open(kind: BackendKind, dir: &Path, options: Options) -> Result<Self> {
        let backend = backend::open(kind, dir)?;
        let watch = options.watch.clone().or_else(|| (kind != BackendKind::Memory).then(|| dir.to_owned()));
        Self::new(backend, Options { watch, ..options })
    }

    /// A store in memory that commits without delay.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn memory() -> Result<Self> {
        Self::new(backend::memory(), Options { window: std::time::Duration::ZERO, ..Options::default() })
    }

    /// A store over a backend.
    ///
    /// # Errors
    /// Those of the backend, and when no thread can be started.
    pub fn new(backend: Arc<dyn Backend>, options: Options) -> Result<Self> {
        let queue = Queue::new();
        let committed = Arc::clone(&queue.committed);
        let newest = committer::newest_archive_id(&*backend)?;
        let shared = Arc::new(Shared {
            cache: PartitionCache::new(options.cache_bytes, options.partition_bytes, committed),
            disk: DiskSpace::new(options.watch.clone(), options.low_water),
            clock: Arc::new(ArchiveClock::starting_after(newest)),
            backend,
            options,
            queue,
            tables: Tables::default(),
            fuse: Arc::default(),
            metrics: Metrics::default(),
            imported: AtomicBool::new(false),
            tallies: archive::Tallies::default(),
            tails: archive::Tails::default(),
            texts: ArcSwap::default(),
            sources: crate::locks::Mutex::default(),
        });
        let committer = Committer::new(Arc::clone(&shared))?;
        let thread = std::thread::Builder::new().name("store-commit".into()).spawn(move || committer.run());
        let thread = thread.map_err(|error| StoreError::io("store-commit", &error))?;
        Ok(Self { inner: Arc::new(Inner { shared, committer: Mutex::new(Some(thread)) }) })
    }

    /// A kv table.
    #[must_use]
    pub fn kv(&self, table: &str) -> Kv {
        Kv { store: self.clone(), table: self.table(table) }
    }

    /// An archive table.
    #[must_use]
    pub fn archive(&self, table: &str) -> Archive {
        Archive { store: self.clone(), table: self.table(table) }
    }

    /// The number of a table name. Kv and archive tables must have different names.
    #[must_use]
    pub fn table(&self, name: &str) -> TableId {
        self.shared().tables.id(name)
    }

    /// The name behind a number of [`Store::table`].
    #[must_use]
    pub fn table_name(&self, table: TableId) -> Arc<str> {
        self.shared().tables.name(table)
    }

    /// Has rows of an archive found by their words ([`crate::ArchiveQuery::search`]); to be called before
    /// anything is appended. Rows that `text_of` gives no text of are found too, but have to be looked at.
    pub fn index_text(&self, table: TableId, text_of: TextOf) {
        let name = self.table_name(table);
        self.shared().texts.rcu(|texts| {
            let mut texts = Texts::clone(texts);
            texts.insert(Arc::clone(&name), Arc::clone(&text_of));
            texts
        });
    }

    /// An empty turn.
    #[must_use]
    pub fn turn(&self) -> Turn {
        Turn::new(Arc::clone(&self.shared().clock))
    }

    /// Whether writes are taken, and why not.
    #[must_use]
    pub fn health(&self) -> Health {
        let shared = self.shared();
        let (waiting, waiting_bytes) = shared.queue.depth();
        Health {
            read_only: shared.fuse.reason(),
            disk_full: shared.disk.is_low(),
            disk_free: shared.disk.free(),
            waiting,
            waiting_bytes,
        }
    }

    /// Counters since the store was opened.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        let mut snapshot = self.shared().metrics.snapshot();
        snapshot.cache_hits += self.shared().cache.hits();
        snapshot
    }

    /// Bytes of kv partitions held in memory.
    #[must_use]
    pub fn cache_bytes(&self) -> usize {
        self.shared().cache.bytes()
    }

    /// The backend, for offline tools. Writing to it directly passes by the
    /// queue and the memory of partitions.
    #[must_use]
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.shared().backend
    }

    /// Commits what was submitted, refuses everything later, and ends the
    /// committer. Blocks. Dropping the last handle does the same.
    pub fn close(&self) {
        self.inner.close();
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("backend", &self.backend().name()).finish_non_exhaustive()
    }
}

impl Inner {
    fn close(&self) {
        self.shared.queue.close();
        let thread = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A callback may hold the last handle: the committer cannot wait for itself.
        if let Some(thread) = thread.filter(|_| !self.shared.queue.is_committer()) {
            drop(thread.join());
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
