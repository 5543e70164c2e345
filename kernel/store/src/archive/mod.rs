//! Append-only history per partition, with paging.

mod change;
mod chunk;
mod clock;
mod fold;
mod group;
mod page;
mod peers;
#[cfg(test)]
mod search_tests;
mod tail;
mod tally;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;

pub(crate) use clock::ArchiveClock;
pub(crate) use fold::Folder;
pub(crate) use group::{Draft, Group};
pub use peers::{ArchiveMark, ArchivePeer, PeersQuery};
pub(crate) use tail::Tails;
pub(crate) use tally::{Reserved, Tallies};

use crate::backend::Backend;
use crate::error::Result;
use crate::keys::Family;
use crate::store::Store;
use crate::store::erase::partitions;
use crate::tables::TableId;
use crate::text::Search;
use crate::ticket::Ticket;

/// Place of a row in its archive: milliseconds since 1970 in the upper 44
/// bits, a number below that grows by steps nobody can foretell. Ids grow with every append of this store,
/// also when the system clock goes back and across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveId(pub(crate) u64);

pub(crate) const SEQUENCE_BITS: u32 = 20;

impl ArchiveId {
    /// The time part in milliseconds since 1970. It is the `at_ms` of the row
    /// unless the clock had gone back when the row was written.
    #[must_use]
    pub fn time_ms(self) -> u64 {
        self.0 >> SEQUENCE_BITS
    }

    /// As a number, for storing it elsewhere.
    #[must_use]
    pub fn to_u64(self) -> u64 {
        self.0
    }

    /// From [`ArchiveId::to_u64`].
    #[must_use]
    pub fn from_u64(number: u64) -> Self {
        Self(number)
    }
}

/// 16 hexadecimal digits, which sort like the ids.
impl fmt::Display for ArchiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is not an archive id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an archive id")]
pub struct NotAnArchiveId;

impl FromStr for ArchiveId {
    type Err = NotAnArchiveId;

    fn from_str(text: &str) -> Result<Self, NotAnArchiveId> {
        let digits = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 16 || !digits(text) {
            return Err(NotAnArchiveId);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NotAnArchiveId)
    }
}

/// A row of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveRow {
    /// Its place.
    pub id: ArchiveId,
    /// The time the writer gave, milliseconds since 1970.
    pub at_ms: u64,
    /// The peer the writer gave: a name, or a name, a slash and a part of it.
    pub peer: ByteString,
    /// What was stored.
    pub payload: Bytes,
}

/// Which rows of a partition to read. All conditions must hold.
#[derive(Clone, Debug)]
pub struct ArchiveQuery {
    /// Only rows with this peer. A name without a part matches all parts of it.
    pub peer: Option<Box<str>>,
    /// Only rows whose [`ArchiveId::time_ms`] is at or after this.
    pub start_ms: Option<u64>,
    /// Only rows whose [`ArchiveId::time_ms`] is at or before this.
    pub end_ms: Option<u64>,
    /// Only rows after this one (excluded). The row need not exist.
    pub after: Option<ArchiveId>,
    /// Only rows before this one (excluded). The row need not exist.
    pub before: Option<ArchiveId>,
    /// Only these rows, each of which must exist.
    pub ids: Option<Vec<ArchiveId>>,
    /// Rows that must exist, whatever the other conditions say; see [`ArchivePage::missing`].
    pub required: Vec<ArchiveId>,
    /// Only rows that are found so.
    pub search: Option<Search>,
    /// At most so many rows.
    pub limit: usize,
    /// The page ends with the row that reaches so many bytes of payload.
    pub bytes: usize,
    /// From the newest down; the limits count from there.
    pub newest_first: bool,
}

impl Default for ArchiveQuery {
    fn default() -> Self {
        Self {
            peer: None,
            start_ms: None,
            end_ms: None,
            after: None,
            before: None,
            ids: None,
            required: Vec::new(),
            search: None,
            limit: 100,
            bytes: usize::MAX,
            newest_first: false,
        }
    }
}

/// A page of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchivePage {
    /// The rows, in the direction that was asked for.
    pub rows: Vec<ArchiveRow>,
    /// Whether no further row matches in that direction.
    pub complete: bool,
    /// A row that the query names and that does not exist; there are no rows then.
    pub missing: Option<ArchiveId>,
}

/// Which rows to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purge {
    /// Everything.
    All,
    /// The rows up to and including this one.
    UpTo(ArchiveId),
    /// These rows.
    Ids(Vec<ArchiveId>),
    /// The rows whose [`ArchiveId::time_ms`] is before this, milliseconds since 1970.
    OlderThan(u64),
    /// All but the newest so many.
    KeepNewest(usize),
}

/// An archive table.
#[derive(Clone, Debug)]
pub struct Archive {
    pub(crate) store: Store,
    pub(crate) table: TableId,
}

impl Archive {
    /// The table, for the ops of a [`crate::Turn`].
    #[must_use]
    pub fn table(&self) -> TableId {
        self.table
    }

    /// Appends one row in a turn of its own.
    ///
    /// # Errors
    /// [`crate::StoreError::TooBig`]; whatever happens later is told by the ticket.
    pub fn append(
        &self,
        partition: &str,
        at_ms: u64,
        peer: &str,
        payload: impl Into<Bytes>,
    ) -> Result<(ArchiveId, Ticket)> {
        let mut turn = self.store.turn();
        let id = turn.append(self.table, partition, at_ms, peer, payload)?;
        Ok((id, self.store.submit_turn(turn)))
    }

    /// Removes rows in a turn of its own.
    pub fn purge(&self, partition: &str, what: Purge) -> Ticket {
        let mut turn = self.store.turn();
        turn.purge(self.table, partition, what);
        self.store.submit_turn(turn)
    }

    /// Replaces what a row holds; its id, time and peer stay. Nothing happens when there is no such row.
    ///
    /// # Errors
    /// As [`Archive::append`].
    pub fn replace(&self, partition: &str, id: ArchiveId, payload: impl Into<Bytes>) -> Result<Ticket> {
        let mut turn = self.store.turn();
        turn.replace(self.table, partition, id, payload)?;
        Ok(self.store.submit_turn(turn))
    }

    /// Reads a page at a cost that depends on the rows of the page, not on those of the
    /// archive; only a peer with a part costs as much as that peer's name has rows.
    /// Sees everything that was submitted before the call.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn page(&self, partition: &str, query: ArchiveQuery) -> Result<ArchivePage> {
        self.read(partition, move |reader| reader.page(&query)).await
    }

    /// Who has rows in a partition, and the newest rows of each, without their payloads. Costs a seek for
    /// each peer, whatever the archive has. Sees everything that was submitted before the call.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn peers(&self, partition: &str, query: PeersQuery) -> Result<Vec<ArchivePeer>> {
        self.read(partition, move |reader| reader.peers(query)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        partition: &str,
        read: impl FnOnce(&page::Reader<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (table, name) = (self.store.table_name(self.table), Arc::<str>::from(partition));
        let (shared, id) = (Arc::clone(self.store.shared()), self.table);
        let run = move |backend: &dyn Backend| {
            let tail = shared.tails.of(id, &name);
            read(&page::Reader { backend, table: &table, partition: &name, tail })
        };
        self.store.read_settled(self.table, partition, run).await
    }

    /// Reads one row.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn get(&self, partition: &str, id: ArchiveId) -> Result<Option<ArchiveRow>> {
        self.read(partition, move |reader| reader.row(id)).await
    }

    /// Names of partitions that have rows, or had some lately; sorted, above `after`.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn partitions(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>> {
        // A job finds all rows in their place.
        self.store.run_job(|_, _| {}).await;
        let (table, after) = (self.store.table_name(self.table), after.map(str::to_owned));
        let run = move |backend: &dyn Backend| partitions(backend, &table, Family::Count, after.as_deref(), limit);
        self.store.read(run).await
    }

    /// Number of rows in a partition; one read at most, whatever the number is.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn count(&self, partition: &str) -> Result<u64> {
        let (store, name, table) = (self.store.clone(), Arc::<str>::from(partition), self.table);
        self.store.read_settled(self.table, partition, move |_| store.archived(table, &name)).await
    }

    /// Number of rows, those submitted but not yet committed included. Waits for nobody;
    /// the first call for a partition makes one read. A purge counts once it is committed.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn count_now(&self, partition: &str) -> Result<u64> {
        self.store.archived(self.table, partition)
    }
}

impl Store {
    /// See [`Archive::count_now`].
    ///
    /// # Errors
    /// Those of the backend.
    pub fn archived(&self, table: TableId, partition: &str) -> Result<u64> {
        let shared = self.shared();
        if let Some(rows) = shared.tallies.rows(table, partition) {
            return Ok(rows);
        }
        let name = self.table_name(table);
        // In this order, so that what is folded meanwhile is known by its id.
        let tail = shared.tails.of(table, partition);
        let state = shared.guarded(|| change::State::read(&*shared.backend, &name, partition))?;
        let reader = page::Reader { backend: &*shared.backend, table: &name, partition, tail: Vec::new() };
        let mut rows = state.rows;
        for row in tail {
            let counted = row.id.0 <= state.last && shared.guarded(|| reader.row(row.id))?.is_some();
            rows += u64::from(!counted);
        }
        Ok(shared.tallies.read(table, partition, rows))
    }
}
