use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use arc_swap::ArcSwap;
use bytes::Bytes;

use crate::archive::{ArchiveClock, Tails, Tallies};
use crate::backend::{Backend, Scan};
use crate::cache::PartitionCache;
use crate::disk_space::DiskSpace;
use crate::error::{Result, StoreError};
use crate::few::Few;
use crate::health::Fuse;
use crate::keys::{self, Family, Key};
use crate::locks::Mutex;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::partition::{Partition, Source};
use crate::queue::Queue;
use crate::row::Row;
use crate::staging::Texts;
use crate::tables::{TableId, Tables};
use crate::turn::TurnOp;

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
    pub(crate) disk: DiskSpace,
    pub(crate) clock: Arc<ArchiveClock>,
    pub(crate) tallies: Tallies,
    pub(crate) tails: Tails,
    pub(crate) texts: ArcSwap<Texts>,
    /// What the partitions of a table share.
    pub(super) sources: Mutex<HashMap<TableId, Arc<Source>>>,
}

impl Shared {
    /// A commit failed: from now on nothing is written.
    pub(crate) fn fail(&self, error: &StoreError) {
        if !matches!(error, StoreError::ReadOnly(_)) {
            self.fuse.blow(error);
        }
    }

    pub(super) fn accepts(&self, ops: &[TurnOp]) -> Result<()> {
        self.fuse.check()?;
        for op in ops {
            if let Some(table) = op.table() {
                self.tables.check(table)?;
            }
        }
        if ops.iter().any(TurnOp::adds) { self.disk.check() } else { Ok(()) }
    }

    pub(super) fn must_wait(&self, seq: u64) -> bool {
        self.queue.committed.load(Ordering::Acquire) < seq
    }

    pub(crate) fn guarded<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        self.fuse.guard(self.backend.name(), read)
    }

    pub(super) fn load(&self, hash: u64, table: TableId, name: &Arc<str>) -> Result<Arc<Partition>> {
        let result = self.guarded(|| self.read_partition(hash, table, name));
        self.cache.loaded(hash, table, name, result)
    }

    fn source(&self, table: TableId) -> Arc<Source> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let source = sources.entry(table).or_insert_with(|| {
            Arc::new(Source {
                backend: Arc::clone(&self.backend),
                table: self.tables.name(table),
                committed: Arc::clone(&self.queue.committed),
                fuse: Arc::clone(&self.fuse),
            })
        });
        Arc::clone(source)
    }

    fn read_partition(&self, hash: u64, table: TableId, name: &Arc<str>) -> Result<Partition> {
        // Few at first, so that big rows are noticed before many are read.
        let mut page_rows = 8;
        let source = self.source(table);
        let prefix = Key::new(Family::Row, name).prefix();
        let mut scan = keys::below(&prefix, &Scan::all());
        let (mut rows, mut bytes) = (Few::default(), 0);
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
                return Ok(Partition::through(table, Arc::clone(name), hash, source));
            }
            if done {
                return Ok(Partition::held(table, Arc::clone(name), hash, source, rows));
            }
        }
    }
}
