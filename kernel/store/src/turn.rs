//! The writes of one plugin call.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;

use crate::archive::{ArchiveClock, ArchiveId, Purge};
use crate::backend::Scan;
use crate::batch::{MAX_VALUE, Op, check_size};
use crate::error::Result;
use crate::keys;
use crate::options::Class;
use crate::partition::{IndexHit, Overlay, Partition, RowHit};
use crate::row::Row;
use crate::tables::TableId;

/// Writes to kv partitions and archives that happen together or not at all.
/// Made by [`crate::Store::turn`], carried out by [`crate::Store::submit_turn`];
/// dropping it withdraws everything.
///
/// Until then nobody else sees the writes; the turn itself reads them through
/// its own [`Turn::get`], [`Turn::scan`] and [`Turn::by_index`].
#[derive(Clone, Debug)]
pub struct Turn {
    pub(crate) class: Class,
    pub(crate) ops: Vec<TurnOp>,
    pub(crate) bytes: usize,
    clock: Arc<ArchiveClock>,
}

/// One write of a turn.
#[derive(Clone, Debug)]
pub(crate) enum TurnOp {
    Put { table: TableId, partition: Arc<str>, key: Bytes, row: Row },
    Delete { table: TableId, partition: Arc<str>, key: Bytes },
    DeletePartition { table: TableId, partition: Arc<str> },
    Append { table: TableId, partition: Arc<str>, entry: ArchiveEntry },
    Replace { table: TableId, partition: Arc<str>, id: ArchiveId, payload: Bytes },
    Purge { table: TableId, partition: Arc<str>, what: Purge },
    Raw(Op),
}

#[derive(Clone, Debug)]
pub(crate) struct ArchiveEntry {
    pub(crate) id: ArchiveId,
    pub(crate) at_ms: u64,
    /// The writer's own.
    pub(crate) marks: u8,
    pub(crate) peer: ByteString,
    pub(crate) payload: Bytes,
}

impl ArchiveEntry {
    pub(crate) fn bytes(&self) -> usize {
        self.peer.len() + self.payload.len()
    }
}

/// Bookkeeping bytes of an op, for the bounds of the queue.
const OP_BYTES: usize = 64;

impl Turn {
    pub(crate) fn new(clock: Arc<ArchiveClock>) -> Self {
        Self { class: Class::Durable, ops: Vec::new(), bytes: 0, clock }
    }

    /// Sets when the turn is acknowledged; durable by default.
    pub fn set_class(&mut self, class: Class) {
        self.class = class;
    }

    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Number of writes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Bytes of the writes so far, for quotas.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Undoes all writes after the first `len`, for a part of a turn that failed.
    pub fn truncate(&mut self, len: usize) {
        for op in self.ops.drain(len.min(self.ops.len())..) {
            self.bytes -= op.bytes();
        }
    }

    /// Writes a kv row. `indexed` says under which values of which indexes the
    /// row is found; it replaces what an earlier put said.
    ///
    /// # Errors
    /// [`crate::StoreError::TooBig`] when key, value or an index value is above its limit.
    pub fn put(
        &mut self,
        table: TableId,
        partition: &str,
        key: &[u8],
        value: impl Into<Bytes>,
        indexed: &[(&str, &[u8])],
    ) -> Result<()> {
        let row = Row::new(value.into(), indexed)?;
        keys::check(&[partition.as_bytes(), key])?;
        for (name, value) in indexed {
            keys::check(&[partition.as_bytes(), name.as_bytes(), value, key])?;
        }
        let key = Bytes::copy_from_slice(key);
        self.push(TurnOp::Put { table, partition: self.shared(partition), key, row });
        Ok(())
    }

    /// Deletes a kv row; no error when there is none.
    pub fn delete(&mut self, table: TableId, partition: &str, key: &[u8]) {
        let partition = self.shared(partition);
        self.push(TurnOp::Delete { table, partition, key: Bytes::copy_from_slice(key) });
    }

    /// Deletes all rows of a kv partition.
    pub fn delete_partition(&mut self, table: TableId, partition: &str) {
        let partition = self.shared(partition);
        self.push(TurnOp::DeletePartition { table, partition });
    }

    /// Adds an archive row and returns its id. `peer` is what
    /// [`crate::ArchiveQuery::peer`] filters by, conventionally a bare JID.
    ///
    /// # Errors
    /// [`crate::StoreError::TooBig`] when peer or payload is above its limit.
    pub fn append(
        &mut self,
        table: TableId,
        partition: &str,
        at_ms: u64,
        peer: &str,
        payload: impl Into<Bytes>,
    ) -> Result<ArchiveId> {
        self.append_marked(table, partition, at_ms, (peer, 0), payload)
    }

    /// As [`Turn::append`], with marks by which [`crate::Archive::peers`] tells rows apart.
    ///
    /// # Errors
    /// As [`Turn::append`].
    pub fn append_marked(
        &mut self,
        table: TableId,
        partition: &str,
        at_ms: u64,
        (peer, marks): (&str, u8),
        payload: impl Into<Bytes>,
    ) -> Result<ArchiveId> {
        let payload = payload.into();
        check_size("archive entry", payload.len(), MAX_VALUE)?;
        keys::check(&[partition.as_bytes(), peer.as_bytes(), &[0xFF; 8]])?;
        let id = self.clock.next(at_ms);
        let entry = ArchiveEntry { id, at_ms, marks, peer: peer.into(), payload };
        let partition = self.shared(partition);
        self.push(TurnOp::Append { table, partition, entry });
        Ok(id)
    }

    /// Replaces what an archive row holds; its id, time and peer stay. Nothing happens when there is no such row.
    ///
    /// # Errors
    /// [`crate::StoreError::TooBig`] when the payload is above its limit.
    pub fn replace(&mut self, table: TableId, partition: &str, id: ArchiveId, payload: impl Into<Bytes>) -> Result<()> {
        let payload = payload.into();
        check_size("archive entry", payload.len(), MAX_VALUE)?;
        let partition = self.shared(partition);
        self.push(TurnOp::Replace { table, partition, id, payload });
        Ok(())
    }

    /// Removes archive rows.
    pub fn purge(&mut self, table: TableId, partition: &str, what: Purge) {
        let partition = self.shared(partition);
        self.push(TurnOp::Purge { table, partition, what });
    }

    /// Adds a write outside of the shapes. The table must not be one that a
    /// shape uses.
    ///
    /// # Errors
    /// [`crate::StoreError::TooBig`] when table name, key or value is above its limit.
    pub fn raw(&mut self, op: Op) -> Result<()> {
        op.check(MAX_VALUE)?;
        self.push(TurnOp::Raw(op));
        Ok(())
    }

    /// A row as this turn sees it: its own writes over the partition's.
    ///
    /// # Errors
    /// Those of the backend, for a partition that is too big to be held.
    pub fn get(&self, partition: &Partition, key: &[u8]) -> Result<Option<Bytes>> {
        for op in self.ops.iter().rev().filter(|op| op.touches(partition)) {
            match op {
                TurnOp::Put { key: at, row, .. } if at == key => return Ok(Some(row.value.clone())),
                TurnOp::Delete { key: at, .. } if at == key => return Ok(None),
                TurnOp::DeletePartition { .. } => return Ok(None),
                _ => {}
            }
        }
        partition.get(key)
    }

    /// As [`Partition::scan`], with this turn's writes.
    ///
    /// # Errors
    /// As [`Turn::get`].
    pub fn scan(&self, partition: &Partition, scan: &Scan) -> Result<Vec<RowHit>> {
        partition.scan_over(scan, &self.overlay(partition))
    }

    /// As [`Partition::by_index`], with this turn's writes.
    ///
    /// # Errors
    /// As [`Turn::get`].
    pub fn by_index(&self, partition: &Partition, index: &str, values: &Scan) -> Result<Vec<IndexHit>> {
        partition.by_index_over(index, values, &self.overlay(partition))
    }

    fn overlay(&self, partition: &Partition) -> Overlay {
        let mut overlay = Overlay::default();
        for op in self.ops.iter().filter(|op| op.touches(partition)) {
            overlay.apply(op, 0);
        }
        overlay
    }

    fn push(&mut self, op: TurnOp) {
        self.bytes += op.bytes();
        self.ops.push(op);
    }

    /// Turns mostly write to one partition: its name is shared by the ops.
    fn shared(&self, partition: &str) -> Arc<str> {
        match self.ops.last().and_then(TurnOp::partition) {
            Some(last) if last.as_ref() == partition => Arc::clone(last),
            _ => partition.into(),
        }
    }
}

impl TurnOp {
    pub(crate) fn partition(&self) -> Option<&Arc<str>> {
        match self {
            Self::Put { partition, .. }
            | Self::Delete { partition, .. }
            | Self::DeletePartition { partition, .. }
            | Self::Append { partition, .. }
            | Self::Replace { partition, .. }
            | Self::Purge { partition, .. } => Some(partition),
            Self::Raw(_) => None,
        }
    }

    pub(crate) fn table(&self) -> Option<TableId> {
        match self {
            Self::Put { table, .. }
            | Self::Delete { table, .. }
            | Self::DeletePartition { table, .. }
            | Self::Append { table, .. }
            | Self::Replace { table, .. }
            | Self::Purge { table, .. } => Some(*table),
            Self::Raw(_) => None,
        }
    }

    fn touches(&self, partition: &Partition) -> bool {
        self.table() == Some(partition.table()) && self.partition().is_some_and(|name| **name == *partition.name())
    }

    /// What it takes in the queue, about.
    fn bytes(&self) -> usize {
        OP_BYTES
            + match self {
                Self::Put { key, row, .. } => key.len() + row.value.len(),
                Self::Delete { key, .. } => key.len(),
                Self::Append { entry, .. } => entry.peer.len() + entry.payload.len(),
                Self::Replace { payload, .. } => payload.len(),
                Self::Raw(op) => op.key.len() + op.value.as_ref().map_or(0, Vec::len),
                Self::DeletePartition { .. } | Self::Purge { .. } => 0,
            }
    }

    /// Whether the op needs disk space.
    pub(crate) fn adds(&self) -> bool {
        match self {
            Self::Put { .. } | Self::Append { .. } | Self::Replace { .. } => true,
            Self::Raw(op) => op.value.is_some(),
            Self::Delete { .. } | Self::DeletePartition { .. } | Self::Purge { .. } => false,
        }
    }
}
