//! How many rows each archive partition has, what is submitted but not yet
//! committed included, so that a quota can be checked without waiting.

use std::sync::{Arc, MutexGuard, PoisonError};

use hashbrown::HashMap;

use super::tail::Place;
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
    /// The last submission of rows that came without a turn.
    last: u64,
}

/// Whether a row may come.
pub(crate) enum Reserved {
    /// It counts from now on; the name of its partition.
    Taken(Arc<str>),
    Refused,
    /// How many rows there are has to be read.
    Unknown,
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

    /// The same without a turn, in the submission `seq`, if `takes` says so of how many there are.
    pub(crate) fn reserve(&self, table: TableId, partition: &str, seq: u64, takes: impl Fn(u64) -> bool) -> Reserved {
        let mut tables = self.lock();
        let known = tables.get_mut(&table).and_then(|partitions| {
            let name = partitions.get_key_value(partition).map(|(name, _)| Arc::clone(name))?;
            Some((name, partitions.get_mut(partition)?))
        });
        let Some((name, tally)) = known else { return Reserved::Unknown };
        match tally.committed {
            None => Reserved::Unknown,
            Some(committed) if !takes(committed.saturating_add(tally.pending)) => Reserved::Refused,
            Some(_) => {
                tally.pending += 1;
                tally.last = seq;
                Reserved::Taken(name)
            }
        }
    }

    /// Of the rows that came without a turn, the submission of the last; what is not known here is committed.
    pub(crate) fn last(&self, table: TableId, partition: &str) -> u64 {
        let tables = self.lock();
        tables.get(&table).and_then(|partitions| partitions.get(partition)).map_or(0, |tally| tally.last)
    }

    /// Appends are committed: so many rows there are with each.
    pub(crate) fn counted<'a>(&self, rows: impl Iterator<Item = (&'a Place, u64)>) {
        let mut tables = self.lock();
        for ((table, partition), rows) in rows {
            if let Some(tally) = tables.get_mut(table).and_then(|partitions| partitions.get_mut(partition)) {
                tally.committed = Some(rows);
                tally.pending = tally.pending.saturating_sub(1);
            }
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
