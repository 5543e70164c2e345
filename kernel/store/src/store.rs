//! The handle to the store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;

use crate::archive::{Archive, ArchiveClock};
use crate::backend::{self, Backend, BackendKind, Scan, ScrubReport};
use crate::batch::{Batch, MAX_VALUE};
use crate::cache::{Lookup, PartitionCache};
use crate::committer::{self, Committer};
use crate::disk_space::DiskSpace;
use crate::error::{Result, StoreError};
use crate::health::{Fuse, Health};
use crate::keys::{self, Family, Key};
use crate::kv::Kv;
use crate::metrics::{Metrics, MetricsSnapshot};
use crate::options::{Class, Options};
use crate::partition::{Partition, Source};
use crate::queue::{Done, Queue, Recorder, Work};
use crate::row::Row;
use crate::tables::{TableId, Tables};
use crate::ticket::Ticket;
use crate::turn::{Turn, TurnOp};

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

/// What the handle and the committer share.
pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) options: Options,
    pub(crate) queue: Queue,
    pub(crate) cache: PartitionCache,
    pub(crate) tables: Tables,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) metrics: Metrics,
    pub(crate) imported: AtomicBool,
    disk: DiskSpace,
    clock: Arc<ArchiveClock>,
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

    /// An empty turn.
    #[must_use]
    pub fn turn(&self) -> Turn {
        Turn::new(Arc::clone(&self.shared().clock))
    }

    /// Hands over a turn: its writes show in memory at once and are committed
    /// together. Blocks only when the queue is full.
    pub fn submit_turn(&self, turn: Turn) -> Ticket {
        self.submit_ticket(turn.class, turn.ops, turn.bytes)
    }

    /// As [`Store::submit_turn`]. `done` runs on the committer's thread, after
    /// the `done` of everything submitted before; it must be short and must
    /// not wait. A refused turn's `done` runs in its place, too.
    pub fn submit_turn_then(&self, turn: Turn, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.submit_callback(turn.class, turn.ops, turn.bytes, Box::new(done));
    }

    /// Hands over writes to tables that no shape uses.
    pub fn submit(&self, batch: Batch) -> Ticket {
        self.submit_class(batch, Class::Durable)
    }

    /// As [`Store::submit`], with a class.
    pub fn submit_class(&self, batch: Batch, class: Class) -> Ticket {
        if let Err(error) = batch.check(MAX_VALUE) {
            return Ticket::known(Err(error));
        }
        let bytes = batch.bytes();
        self.submit_ticket(class, raw_ops(batch), bytes)
    }

    /// As [`Store::submit`]; an empty batch is a barrier. For `done` see
    /// [`Store::submit_turn_then`].
    pub fn submit_then(&self, batch: Batch, done: impl FnOnce(Result<()>) + Send + 'static) {
        let checked = batch.check(MAX_VALUE);
        let bytes = batch.bytes();
        match checked {
            Ok(()) => self.submit_callback(Class::Durable, raw_ops(batch), bytes, Box::new(done)),
            Err(error) => self.push_refused(error, Box::new(done)),
        }
    }

    /// Waits until everything submitted before is durable.
    ///
    /// # Errors
    /// When the store is or becomes read-only.
    pub async fn barrier(&self) -> Result<()> {
        self.submit(Batch::new()).wait().await
    }

    /// Reads one entry of a table that no shape uses. Sees what is committed.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let (table, key) = (table.to_owned(), key.to_owned());
        self.read(move |backend| backend.get(&table, &key)).await
    }

    /// Reads entries of a table that no shape uses. Sees what is committed.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn scan(&self, table: &str, scan: Scan) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let table = table.to_owned();
        self.read(move |backend| backend.scan(&table, &scan)).await
    }

    /// See [`Kv::cached`].
    #[must_use]
    pub fn cached(&self, table: TableId, partition: &str) -> Option<Arc<Partition>> {
        let found = self.shared().cache.cached(table, partition);
        if found.is_some() {
            self.shared().metrics.cache_hits.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    /// See [`Kv::partition`].
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn partition(&self, table: TableId, partition: &str) -> Result<Arc<Partition>> {
        let shared = self.shared();
        match shared.cache.lookup(table, partition) {
            Some(Lookup::Ready(found)) => {
                shared.metrics.cache_hits.fetch_add(1, Ordering::Relaxed);
                Ok(found)
            }
            Some(Lookup::Wait(receiver)) => receiver.await.unwrap_or(Err(StoreError::Closed)),
            Some(Lookup::Load { hash, after }) => {
                shared.metrics.cache_misses.fetch_add(1, Ordering::Relaxed);
                let (shared, name) = (Arc::clone(shared), Box::<str>::from(partition));
                let waits = shared.must_wait(after);
                let load = move || {
                    shared.queue.wait_settled(after);
                    shared.load(hash, table, &name)
                };
                self.run_read(waits, load).await
            }
            None => Err(StoreError::Closed),
        }
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
        self.shared().metrics.snapshot()
    }

    /// Bytes of kv partitions held in memory.
    #[must_use]
    pub fn cache_bytes(&self) -> usize {
        self.shared().cache.bytes()
    }

    /// Reads everything and verifies it, beside the running commits.
    ///
    /// # Errors
    /// Those of the backend; what does not fit together is in the report.
    pub async fn scrub(&self) -> Result<ScrubReport> {
        self.read(|backend| backend.scrub()).await
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

    /// Runs a read of the backend where it may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Backend) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(self.shared());
        self.run_read(false, move || shared.guarded(|| read(&*shared.backend))).await
    }

    /// Runs something that reads files where it may block.
    pub(crate) async fn read_file<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run_read(true, read).await
    }

    /// As [`Store::read`], after what was submitted for this name is committed.
    pub(crate) async fn read_settled<T: Send + 'static>(
        &self,
        table: TableId,
        name: &str,
        read: impl FnOnce(&dyn Backend) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(self.shared());
        let after = shared.cache.last_unseen(table, name);
        let waits = shared.must_wait(after);
        let run = move || {
            shared.queue.wait_settled(after);
            shared.guarded(|| read(&*shared.backend))
        };
        self.run_read(waits, run).await
    }

    /// Runs `job` on the committer's thread between two commits.
    pub(crate) fn submit_job(&self, job: impl FnOnce(&dyn Backend, &mut Recorder) + Send + 'static) -> Ticket {
        let (sender, ticket) = Ticket::pair();
        match self.shared().queue.place(&self.shared().options) {
            Some(place) => place.push(Class::Durable, Work::Job(Box::new(job)), 0, Done::Ticket(sender)),
            None => return Ticket::known(Err(StoreError::Closed)),
        }
        ticket
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    async fn run_read<T: Send + 'static>(
        &self,
        waits: bool,
        read: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let blocks = waits || self.shared().backend.reads_block();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if blocks => runtime.spawn_blocking(read).await.unwrap_or(Err(StoreError::Closed)),
            _ => read(),
        }
    }

    fn submit_ticket(&self, class: Class, ops: Vec<TurnOp>, bytes: usize) -> Ticket {
        if let Err(error) = self.shared().accepts(&ops) {
            return Ticket::known(Err(error));
        }
        let (done, ticket) = match class {
            Class::Durable => {
                let (sender, ticket) = Ticket::pair();
                (Done::Ticket(sender), ticket)
            }
            Class::Relaxed => (Done::Nobody, Ticket::known(Ok(()))),
        };
        match self.push(class, ops, bytes, done) {
            Ok(()) => ticket,
            Err(_) => Ticket::known(Err(StoreError::Closed)),
        }
    }

    fn submit_callback(&self, class: Class, ops: Vec<TurnOp>, bytes: usize, done: Box<dyn FnOnce(Result<()>) + Send>) {
        if let Err(error) = self.shared().accepts(&ops) {
            return self.push_refused(error, done);
        }
        if let Err(done) = self.push(class, ops, bytes, Done::Callback(done)) {
            done.answer(Err(StoreError::Closed));
        }
    }

    fn push_refused(&self, error: StoreError, done: Box<dyn FnOnce(Result<()>) + Send>) {
        match self.shared().queue.place(&self.shared().options) {
            Some(place) => place.push(Class::Durable, Work::Refused(error), 0, Done::Callback(done)),
            None => done(Err(StoreError::Closed)),
        }
    }

    fn push(&self, class: Class, ops: Vec<TurnOp>, bytes: usize, done: Done) -> Result<(), Done> {
        let shared = self.shared();
        let Some(place) = shared.queue.place(&shared.options) else { return Err(done) };
        // In the same order in memory as in the queue, as the place is held.
        for op in &ops {
            shared.cache.apply(op, place.seq);
        }
        place.push(class, Work::Ops(ops), bytes, done);
        Ok(())
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("backend", &self.backend().name()).finish_non_exhaustive()
    }
}

impl Shared {
    /// A commit failed: from now on nothing is written.
    pub(crate) fn fail(&self, error: &StoreError) {
        if !matches!(error, StoreError::ReadOnly(_)) {
            self.fuse.blow(error);
        }
    }

    fn accepts(&self, ops: &[TurnOp]) -> Result<()> {
        self.fuse.check()?;
        for op in ops {
            if let Some(table) = op.table() {
                self.tables.check(table)?;
            }
        }
        if ops.iter().any(TurnOp::adds) { self.disk.check() } else { Ok(()) }
    }

    fn must_wait(&self, seq: u64) -> bool {
        self.queue.committed.load(Ordering::Acquire) < seq
    }

    fn guarded<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        self.fuse.guard(self.backend.name(), read)
    }

    fn load(&self, hash: u64, table: TableId, name: &str) -> Result<Arc<Partition>> {
        let result = self.guarded(|| self.read_partition(hash, table, name));
        self.cache.loaded(hash, table, name, result)
    }

    fn read_partition(&self, hash: u64, table: TableId, name: &str) -> Result<Partition> {
        // Few at first, so that big rows are noticed before many are read.
        let mut page_rows = 8;
        let source = Source {
            backend: Arc::clone(&self.backend),
            table: self.tables.name(table),
            committed: Arc::clone(&self.queue.committed),
            fuse: Arc::clone(&self.fuse),
        };
        let prefix = Key::new(Family::Row, name).prefix();
        let mut scan = keys::below(&prefix, &Scan::all());
        let (mut rows, mut bytes) = (BTreeMap::new(), 0);
        loop {
            scan = scan.limit(page_rows);
            let page = self.backend.scan(&source.table, &scan)?;
            let done = page.len() < page_rows;
            page_rows = (page_rows * 2).min(256);
            if let Some((last, _)) = page.last() {
                scan = scan.after(last.clone());
            }
            for (key, stored) in page {
                bytes += key.len() + stored.len();
                let key = Bytes::from(key).slice(prefix.len()..);
                rows.insert(key, Row::decode(&source.table, stored)?);
            }
            if bytes > self.options.partition_bytes {
                return Ok(Partition::through(table, name.into(), hash, source));
            }
            if done {
                return Ok(Partition::held(table, name.into(), hash, source, rows));
            }
        }
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

fn raw_ops(batch: Batch) -> Vec<TurnOp> {
    batch.ops.into_iter().map(TurnOp::Raw).collect()
}
