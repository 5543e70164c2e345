//! Reading: from memory where possible, else where it may block.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::backend::{Backend, Scan, ScrubReport};
use crate::cache::Lookup;
use crate::error::{Result, StoreError};
use crate::partition::Partition;
use crate::store::Store;
use crate::tables::TableId;

impl Store {
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

    /// See [`crate::Kv::cached`].
    #[must_use]
    pub fn cached(&self, table: TableId, partition: &str) -> Option<Arc<Partition>> {
        self.shared().cache.cached(table, partition)
    }

    /// The partition if it is in memory and has rows; the inner none: it has none. As [`crate::Kv::cached`], but
    /// the usual answer costs no owner.
    #[must_use]
    pub fn rows_of(&self, table: &str, partition: &str) -> Option<Option<Arc<Partition>>> {
        let see = |partition: &Arc<Partition>| (!partition.is_held_empty()).then(|| Arc::clone(partition));
        self.shared().cache.look(self.table(table), partition, see)
    }

    /// See [`crate::Kv::partition`].
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
                let (shared, name) = (Arc::clone(shared), Arc::<str>::from(partition));
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

    /// Begins to read the partitions of this name that are not in memory, all by one
    /// thread. Who asks for one of them meanwhile waits for that; an error is theirs.
    pub fn prefetch(&self, tables: &[TableId], partition: &str) {
        let shared = self.shared();
        let mut cold = Vec::new();
        for table in tables {
            if let Some(Lookup::Load { hash, after }) = shared.cache.lookup_cold(*table, partition) {
                cold.push((hash, *table, after));
            }
        }
        if cold.is_empty() {
            return;
        }
        shared.metrics.cache_misses.fetch_add(cold.len() as u64, Ordering::Relaxed);
        let (shared, name) = (Arc::clone(shared), Arc::<str>::from(partition));
        let load = move || {
            for (hash, table, after) in cold {
                shared.queue.wait_settled(after);
                drop(shared.load(hash, table, &name));
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if self.shared().backend.reads_block() => drop(runtime.spawn_blocking(load)),
            _ => load(),
        }
    }

    /// Reads everything and verifies it, beside the running commits.
    ///
    /// # Errors
    /// Those of the backend; what does not fit together is in the report.
    pub async fn scrub(&self) -> Result<ScrubReport> {
        self.read(|backend| backend.scrub()).await
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
        let after = shared.cache.last_unseen(table, name).max(shared.tallies.last(table, name));
        let waits = shared.must_wait(after);
        let run = move || {
            shared.queue.wait_settled(after);
            shared.guarded(|| read(&*shared.backend))
        };
        self.run_read(waits, run).await
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
}
