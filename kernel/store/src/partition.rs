//! The rows of one key of one kv store, read without waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeBounds};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;

use crate::backend::{Backend, Entry, Scan};
use crate::error::Result;
use crate::health::Fuse;
use crate::keys::{self, Family, Key, Parts};
use crate::row::Row;
use crate::staging::as_ref;
use crate::tables::TableId;
use crate::turn::TurnOp;

/// A row: key, value.
pub type RowHit = (Bytes, Bytes);
/// A row found by an index: index value, key, value.
pub type IndexHit = (Bytes, Bytes, Bytes);

/// Bookkeeping bytes of a row in memory.
const ROW_BYTES: usize = 128;
const PARTITION_BYTES: usize = 512;

/// All rows of a partition, including writes that are submitted but not yet
/// durable. Shared and live: later turns show in it. Reading takes no disk
/// access unless the partition is too big to be held.
pub struct Partition {
    table: TableId,
    name: Box<str>,
    pub(crate) hash: u64,
    pub(crate) used: AtomicBool,
    source: Source,
    state: RwLock<State>,
}

/// Where rows that are not held come from.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) table: Arc<str>,
    pub(crate) committed: Arc<AtomicU64>,
    pub(crate) fuse: Arc<Fuse>,
}

impl Source {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.fuse.guard(self.backend.name(), || self.backend.get(&self.table, key))
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>> {
        self.fuse.guard(self.backend.name(), || self.backend.scan(&self.table, scan))
    }
}

struct State {
    rows: Rows,
    /// Number of the last submission that wrote here.
    last_write: u64,
    bytes: usize,
}

enum Rows {
    Held {
        rows: BTreeMap<Bytes, Row>,
        index: BTreeSet<(Box<str>, Bytes, Bytes)>,
    },
    /// Too big to be held: only what is not committed yet.
    Through(Overlay),
}

/// Changes over a set of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    /// Everything below was deleted by this submission.
    wiped: Option<u64>,
    rows: BTreeMap<Bytes, (u64, Option<Row>)>,
}

impl Overlay {
    pub(crate) fn apply(&mut self, op: &TurnOp, seq: u64) {
        match op {
            TurnOp::Put { key, row, .. } => {
                self.rows.insert(key.clone(), (seq, Some(row.clone())));
            }
            TurnOp::Delete { key, .. } => {
                self.rows.insert(key.clone(), (seq, None));
            }
            TurnOp::DeletePartition { .. } => {
                self.rows.clear();
                self.wiped = Some(seq);
            }
            TurnOp::Append { .. } | TurnOp::Purge { .. } | TurnOp::Raw(_) => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.wiped.is_none() && self.rows.is_empty()
    }

    /// Forgets what the backend has by now.
    fn settle(&mut self, committed: u64) {
        self.rows.retain(|_, (seq, _)| *seq > committed);
        self.wiped = self.wiped.filter(|seq| *seq > committed);
    }

    fn bytes(&self) -> usize {
        self.rows.iter().map(|(key, (_, row))| key.len() + row.as_ref().map_or(0, row_bytes)).sum()
    }
}

impl Partition {
    pub(crate) fn held(table: TableId, name: Box<str>, hash: u64, source: Source, rows: BTreeMap<Bytes, Row>) -> Self {
        let bytes = rows.iter().map(|(key, row)| key.len() + row_bytes(row)).sum();
        let index = rows.iter().flat_map(|(key, row)| index_entries(key, row)).collect();
        Self::new(table, name, hash, source, Rows::Held { rows, index }, bytes)
    }

    pub(crate) fn through(table: TableId, name: Box<str>, hash: u64, source: Source) -> Self {
        Self::new(table, name, hash, source, Rows::Through(Overlay::default()), 0)
    }

    fn new(table: TableId, name: Box<str>, hash: u64, source: Source, rows: Rows, bytes: usize) -> Self {
        let state = State { rows, last_write: 0, bytes };
        Self { table, name, hash, used: AtomicBool::new(true), source, state: RwLock::new(state) }
    }

    /// The table it belongs to.
    #[must_use]
    pub fn table(&self) -> TableId {
        self.table
    }

    /// The owner key, for instance a bare JID.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether all rows are in memory.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.read().rows, Rows::Held { .. })
    }

    /// The value of one row.
    ///
    /// # Errors
    /// Those of the backend, for a partition that is too big to be held. A
    /// held partition gives none.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        match &self.read().rows {
            Rows::Held { rows, .. } => return Ok(rows.get(key).map(|row| row.value.clone())),
            Rows::Through(overlay) => match overlay.rows.get(key) {
                Some((_, row)) => return Ok(row.as_ref().map(|row| row.value.clone())),
                None if overlay.wiped.is_some() => return Ok(None),
                None => {}
            },
        }
        Ok(self.stored_row(key)?.map(|row| row.value))
    }

    /// Rows of a key range, in key order or against it. `Scan::prefix` gives
    /// the rows whose key starts so.
    ///
    /// # Errors
    /// As [`Partition::get`].
    pub fn scan(&self, scan: &Scan) -> Result<Vec<RowHit>> {
        self.scan_over(scan, &Overlay::default())
    }

    /// Rows whose values of `index` are within `values`, ordered by index
    /// value and then key. For one exact value take [`Partition::with_index`].
    ///
    /// # Errors
    /// As [`Partition::get`].
    pub fn by_index(&self, index: &str, values: &Scan) -> Result<Vec<IndexHit>> {
        self.by_index_over(index, values, &Overlay::default())
    }

    /// Rows that carry exactly this index value, ordered by key.
    ///
    /// # Errors
    /// As [`Partition::get`].
    pub fn with_index(&self, index: &str, value: &[u8], limit: usize) -> Result<Vec<RowHit>> {
        let hits = self.by_index(index, &exactly(value).limit(limit))?;
        Ok(hits.into_iter().map(|(_, key, value)| (key, value)).collect())
    }

    /// Number of rows; reads everything when the partition is too big to be held.
    ///
    /// # Errors
    /// As [`Partition::get`].
    pub fn len(&self) -> Result<usize> {
        if let Rows::Held { rows, .. } = &self.read().rows {
            return Ok(rows.len());
        }
        Ok(self.scan(&Scan::all())?.len())
    }

    /// Whether there is no row.
    ///
    /// # Errors
    /// As [`Partition::get`].
    pub fn is_empty(&self) -> Result<bool> {
        if let Rows::Held { rows, .. } = &self.read().rows {
            return Ok(rows.is_empty());
        }
        Ok(self.scan(&Scan::all().limit(1))?.is_empty())
    }

    pub(crate) fn scan_over(&self, scan: &Scan, upper: &Overlay) -> Result<Vec<RowHit>> {
        if scan.is_empty() {
            return Ok(Vec::new());
        }
        let pick = |key: &Bytes, _: &Row| within(scan, key).then(|| key.clone()).into_iter().collect();
        let hits = self.merged(scan, upper, pick, |scan| self.base_scan(scan))?;
        Ok(hits.into_iter().map(|(key, (_, value))| (key, value)).collect())
    }

    pub(crate) fn by_index_over(&self, index: &str, values: &Scan, upper: &Overlay) -> Result<Vec<IndexHit>> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let pick = |key: &Bytes, row: &Row| {
            let named = row.indexed.iter().filter(|(name, value)| **name == *index && within(values, value));
            named.map(|(_, value)| (value.clone(), key.clone())).collect()
        };
        let hits = self.merged(values, upper, pick, |scan| self.base_index(index, scan))?;
        Ok(hits.into_iter().map(|((value, key), (_, row))| (value, key, row)).collect())
    }

    /// What the base gives, with the changes of this partition (when it is not
    /// held) and of `upper` over it. `pick` says under which sort keys a
    /// changed row belongs into the result.
    fn merged<K: Ord>(
        &self,
        scan: &Scan,
        upper: &Overlay,
        pick: impl Fn(&Bytes, &Row) -> Vec<K>,
        base: impl Fn(&Scan) -> Result<Vec<(K, RowHit)>>,
    ) -> Result<Vec<(K, RowHit)>> {
        let own = match &self.read().rows {
            Rows::Held { .. } => Overlay::default(),
            Rows::Through(overlay) => overlay.clone(),
        };
        let mut merged: BTreeMap<K, RowHit> = BTreeMap::new();
        if own.wiped.is_none() && upper.wiped.is_none() {
            let hidden = (own.rows.len() + upper.rows.len()) * (crate::row::MAX_INDEXED + 1);
            merged.extend(base(&scan.clone().limit(scan.limit.saturating_add(hidden)))?);
        }
        for overlay in [&own, upper].into_iter().filter(|overlay| !overlay.is_empty()) {
            if overlay.wiped.is_some() {
                merged.clear();
            }
            merged.retain(|_, (key, _)| !overlay.rows.contains_key(key));
            for (key, row) in overlay.rows.iter().filter_map(|(key, (_, row))| Some((key, row.as_ref()?))) {
                merged.extend(pick(key, row).into_iter().map(|at| (at, (key.clone(), row.value.clone()))));
            }
        }
        let merged = merged.into_iter();
        Ok(if scan.reverse { merged.rev().take(scan.limit).collect() } else { merged.take(scan.limit).collect() })
    }

    fn base_scan(&self, scan: &Scan) -> Result<Vec<(Bytes, RowHit)>> {
        if let Rows::Held { rows, .. } = &self.read().rows {
            let range = rows.range::<[u8], _>((as_ref(&scan.lower), as_ref(&scan.upper)));
            let hit = |(key, row): (&Bytes, &Row)| (key.clone(), (key.clone(), row.value.clone()));
            return Ok(if scan.reverse {
                range.rev().take(scan.limit).map(hit).collect()
            } else {
                range.take(scan.limit).map(hit).collect()
            });
        }
        let prefix = Key::new(Family::Row, &self.name).prefix();
        let entries = self.source.scan(&keys::below(&prefix, scan))?;
        entries.into_iter().map(|(key, stored)| self.stored_hit(prefix.len(), &key, stored)).collect()
    }

    fn base_index(&self, index: &str, values: &Scan) -> Result<Vec<((Bytes, Bytes), RowHit)>> {
        if let Rows::Held { rows, index: entries } = &self.read().rows {
            let from = (Box::from(index), Bytes::new(), Bytes::new());
            let of_index = entries.range((Bound::Included(from), Bound::Unbounded));
            let hits = of_index.take_while(|(name, ..)| **name == *index);
            let hits = hits.filter(|(_, value, _)| within(values, value));
            let hit = |(_, value, key): &(Box<str>, Bytes, Bytes)| {
                let row = rows.get(key)?;
                Some(((value.clone(), key.clone()), (key.clone(), row.value.clone())))
            };
            return Ok(if values.reverse {
                let all: Vec<_> = hits.collect();
                all.into_iter().rev().take(values.limit).filter_map(hit).collect()
            } else {
                hits.take(values.limit).filter_map(hit).collect()
            });
        }
        self.stored_index(index, values)
    }

    fn stored_index(&self, index: &str, values: &Scan) -> Result<Vec<((Bytes, Bytes), RowHit)>> {
        let prefix = Key::new(Family::Index, &self.name).part(index.as_bytes()).prefix();
        let scan = keys::below(&prefix, &escaped(values));
        let mut hits = Vec::new();
        for (entry, _) in self.source.scan(&scan)? {
            let mut parts = Parts::of(&entry);
            let (Some(_), Some(_), Some(value)) = (parts.part(), parts.part(), parts.part()) else { continue };
            let key = Bytes::copy_from_slice(parts.last());
            if let Some(row) = self.stored_row(&key)? {
                hits.push(((Bytes::from(value), key.clone()), (key, row.value)));
            }
        }
        Ok(hits)
    }

    fn stored_row(&self, key: &[u8]) -> Result<Option<Row>> {
        let at = Key::new(Family::Row, &self.name).last(key);
        let stored = self.source.get(&at)?;
        stored.map(|stored| Row::decode(&self.source.table, stored)).transpose()
    }

    fn stored_hit(&self, prefix: usize, key: &[u8], stored: Vec<u8>) -> Result<(Bytes, RowHit)> {
        let key = Bytes::copy_from_slice(key.get(prefix..).unwrap_or_default());
        let row = Row::decode(&self.source.table, stored)?;
        Ok((key.clone(), (key, row.value)))
    }

    /// Applies a submitted write; returns the change of its size in bytes.
    pub(crate) fn apply(&self, op: &TurnOp, seq: u64) -> isize {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let before = state.bytes;
        state.last_write = seq;
        state.bytes = match &mut state.rows {
            Rows::Held { rows, index } => {
                let change = apply_held(rows, index, op);
                before.saturating_add_signed(change)
            }
            Rows::Through(overlay) => {
                overlay.settle(self.source.committed.load(Ordering::Acquire));
                overlay.apply(op, seq);
                overlay.bytes()
            }
        };
        state.bytes.cast_signed() - before.cast_signed()
    }

    /// Number of the last submission that wrote here.
    pub(crate) fn last_write(&self) -> u64 {
        self.read().last_write
    }

    pub(crate) fn bytes(&self) -> usize {
        PARTITION_BYTES + self.name.len() + self.read().bytes
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partition").field("table", &self.table).field("name", &self.name).finish_non_exhaustive()
    }
}

fn apply_held(rows: &mut BTreeMap<Bytes, Row>, index: &mut BTreeSet<(Box<str>, Bytes, Bytes)>, op: &TurnOp) -> isize {
    let (key, new) = match op {
        TurnOp::Put { key, row, .. } => (key, Some(row)),
        TurnOp::Delete { key, .. } => (key, None),
        TurnOp::DeletePartition { .. } => {
            let freed: usize = rows.iter().map(|(key, row)| key.len() + row_bytes(row)).sum();
            rows.clear();
            index.clear();
            return -freed.cast_signed();
        }
        TurnOp::Append { .. } | TurnOp::Purge { .. } | TurnOp::Raw(_) => return 0,
    };
    let old = match new {
        Some(row) => rows.insert(key.clone(), row.clone()),
        None => rows.remove(key),
    };
    let size = |row: Option<&Row>| row.map_or(0, |row| (key.len() + row_bytes(row)).cast_signed());
    for entry in old.iter().flat_map(|row| index_entries(key, row)) {
        index.remove(&entry);
    }
    index.extend(new.iter().flat_map(|row| index_entries(key, row)));
    size(new) - size(old.as_ref())
}

fn index_entries(key: &Bytes, row: &Row) -> impl Iterator<Item = (Box<str>, Bytes, Bytes)> {
    row.indexed.iter().map(|(name, value)| (name.clone(), value.clone(), key.clone()))
}

fn row_bytes(row: &Row) -> usize {
    ROW_BYTES
        + row.value.len()
        + row.indexed.iter().map(|(name, value)| 2 * (name.len() + value.len()) + 64).sum::<usize>()
}

fn within(scan: &Scan, key: &[u8]) -> bool {
    let bounds = (as_ref(&scan.lower), as_ref(&scan.upper));
    RangeBounds::<[u8]>::contains(&bounds, key)
}

/// A scan of exactly one value.
fn exactly(value: &[u8]) -> Scan {
    let one = value.to_vec();
    Scan { lower: Bound::Included(one.clone()), upper: Bound::Included(one), limit: usize::MAX, reverse: false }
}

/// A range of index values as a range of the escaped parts in index keys.
fn escaped(values: &Scan) -> Scan {
    // A whole escaped part with its end is a prefix of the keys with this value.
    let part = |value: &Vec<u8>| Key::bare(value);
    let after = |value: &Vec<u8>| crate::backend::prefix_end(&part(value)).unwrap_or_default();
    Scan {
        lower: match &values.lower {
            Bound::Included(value) => Bound::Included(part(value)),
            Bound::Excluded(value) => Bound::Included(after(value)),
            Bound::Unbounded => Bound::Unbounded,
        },
        upper: match &values.upper {
            Bound::Included(value) => Bound::Excluded(after(value)),
            Bound::Excluded(value) => Bound::Excluded(part(value)),
            Bound::Unbounded => Bound::Unbounded,
        },
        limit: values.limit,
        reverse: values.reverse,
    }
}
