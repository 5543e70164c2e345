//! How many rows each archive partition has, what is submitted but not yet
//! committed included, so that a quota can be checked without waiting.

use std::sync::{Arc, MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::locks::Mutex;
use crate::tables::TableId;

type Tallied = HashMap<TableId, HashMap<Arc<str>, Tally>>;

/// All tallies in memory. The counter rows in the backend are what lasts.
#[derive(Debug, Default)]
pub(crate) struct Tallies(Mutex<Tallied>);

#[derive(Debug, Default)]
struct Tally {
    /// Rows that the committer knows of; `None` until somebody read them.
    committed: Option<u64>,
    /// Rows submitted since.
    pending: u64,
}

impl Tallies {
    /// Partitions of a table that are remembered; above it those with nothing pending are forgotten.
    const MOST: usize = 16_384;

    /// An append has its place in the queue.
    pub(crate) fn submitted(&self, table: TableId, partition: &Arc<str>) {
        let mut tables = self.lock();
        let partitions = tables.entry(table).or_default();
        if partitions.len() >= Self::MOST {
            partitions.retain(|_, tally| tally.pending > 0);
        }
        partitions.entry(Arc::clone(partition)).or_default().pending += 1;
    }

    /// The committer counted an append: so many rows there are with it.
    pub(crate) fn counted(&self, table: TableId, partition: &str, rows: u64) {
        if let Some(tally) = self.lock().get_mut(&table).and_then(|partitions| partitions.get_mut(partition)) {
            tally.committed = Some(rows);
            tally.pending = tally.pending.saturating_sub(1);
        }
    }

    /// Rows were removed, and the commit of that is done.
    pub(crate) fn removed(&self, table: TableId, partition: &str) {
        if let Some(tally) = self.lock().get_mut(&table).and_then(|partitions| partitions.get_mut(partition)) {
            tally.committed = None;
        }
    }

    /// After a failure or an import nothing is known.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    /// The number, if it is known.
    pub(crate) fn rows(&self, table: TableId, partition: &str) -> Option<u64> {
        let tables = self.lock();
        let tally = tables.get(&table)?.get(partition)?;
        tally.committed.map(|committed| committed.saturating_add(tally.pending))
    }

    /// Takes note of what was just read from the backend, unless the committer knows better by now.
    pub(crate) fn read(&self, table: TableId, partition: &str, rows: u64) -> u64 {
        let mut tables = self.lock();
        let tally = tables.entry(table).or_default().entry(partition.into()).or_default();
        tally.committed.get_or_insert(rows).saturating_add(tally.pending)
    }

    fn lock(&self) -> MutexGuard<'_, Tallied> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
