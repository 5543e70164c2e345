//! The database of a test: memory, with a fault to order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use xylem_store::backend::{Backend, Entry, ScrubReport, memory};
use xylem_store::{Batch, Result, Scan, StoreError};

/// Outlives the servers that are started over it.
pub(crate) struct Disk {
    memory: Arc<dyn Backend>,
    fails: AtomicBool,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self { memory: memory(), fails: AtomicBool::new(false) }
    }

    /// The next commit writes nothing and is an error.
    pub(crate) fn fail_next(&self) {
        self.fails.store(true, Ordering::SeqCst);
    }
}

impl Backend for Disk {
    fn name(&self) -> &'static str {
        self.memory.name()
    }

    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.memory.get(table, key)
    }

    fn scan(&self, table: &str, scan: &Scan) -> Result<Vec<Entry>> {
        self.memory.scan(table, scan)
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        if self.fails.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Backend { backend: self.name(), message: "the test wanted it so".into() });
        }
        self.memory.commit(batch)
    }

    fn tables(&self) -> Result<Vec<String>> {
        self.memory.tables()
    }

    fn size(&self) -> Result<u64> {
        self.memory.size()
    }

    fn scrub(&self) -> Result<ScrubReport> {
        self.memory.scrub()
    }

    fn reads_block(&self) -> bool {
        self.memory.reads_block()
    }
}
