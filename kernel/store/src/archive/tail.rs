//! The newest rows of each partition: on disk in groups, not yet in chunks. All of
//! them are in memory, so that a page is whole without looking through groups.

use hashbrown::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use crate::locks::Mutex;
use crate::tables::TableId;
use crate::turn::ArchiveEntry;

/// A partition of an archive.
pub(super) type Place = (TableId, Arc<str>);

/// Written by the committer, after the commit; read by everybody.
#[derive(Debug, Default)]
pub(crate) struct Tails(Mutex<ByTable>);

type ByTable = HashMap<TableId, HashMap<Arc<str>, Vec<ArchiveEntry>>>;

impl Tails {
    /// The rows of a partition in order of their ids. To be asked before the backend: what
    /// is folded in between is then seen twice, and never not at all.
    pub(super) fn of(&self, table: TableId, partition: &str) -> Vec<ArchiveEntry> {
        self.lock().get(&table).and_then(|tails| tails.get(partition)).cloned().unwrap_or_default()
    }

    /// Takes over what a commit changed: partitions whose rows are in chunks now, then new rows.
    pub(super) fn change(
        &self,
        folded: impl Iterator<Item = Place>,
        added: impl Iterator<Item = (Place, ArchiveEntry)>,
    ) {
        let mut tails = self.lock();
        for (table, partition) in folded {
            if let Some(tails) = tails.get_mut(&table) {
                tails.remove(&partition);
            }
        }
        for ((table, partition), row) in added {
            let tail = tails.entry(table).or_default().entry(partition).or_default();
            match tail.last() {
                Some(last) if last.id > row.id => {
                    tail.insert(tail.partition_point(|other| other.id < row.id), row);
                }
                _ => tail.push(row),
            }
        }
    }

    /// After an import.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, ByTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
