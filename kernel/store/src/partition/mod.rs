//! The rows of one key of one kv store, read without waiting.

mod held;
mod overlay;
mod stored;

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLockReadGuard};

use bytes::Bytes;

use held::Held;
pub(crate) use overlay::Overlay;
pub(crate) use stored::Source;

use crate::backend::Scan;
use crate::error::Result;
use crate::few::Few;
use crate::locks::RwLock;
use crate::row::Row;
use crate::staging::as_ref;
use crate::tables::TableId;
use crate::turn::TurnOp;

/// A row: key, value.
pub type RowHit = (Bytes, Bytes);
/// A row found by an index: index value, key, value.
pub type IndexHit = (Bytes, Bytes, Bytes);

const PARTITION_BYTES: usize = 512;

/// All rows of a partition, including writes that are submitted but not yet
/// durable. Shared and live: later turns show in it. Reading takes no disk
/// access unless the partition is too big to be held.
pub struct Partition {
    table: TableId,
    pub(crate) used: AtomicBool,
    name: Arc<str>,
    pub(crate) hash: u64,
    source: Arc<Source>,
    state: RwLock<State>,
}

struct State {
    rows: Rows,
    /// Number of the last submission that wrote here.
    last_write: u64,
    bytes: usize,
}

/// Most partitions have no row: what is not there is not allocated.
enum Rows {
    Held(Option<Box<Held>>),
    /// Too big to be held: only what is not committed yet.
    Through(Box<Overlay>),
}

impl Partition {
    pub(crate) fn held(table: TableId, name: Arc<str>, hash: u64, source: Arc<Source>, rows: Few<Bytes, Row>) -> Self {
        let held = (!rows.is_empty()).then(|| Box::new(Held::new(rows)));
        let bytes = held.as_ref().map_or(0, |held| held.bytes());
        Self::new(table, name, hash, source, Rows::Held(held), bytes)
    }

    pub(crate) fn through(table: TableId, name: Arc<str>, hash: u64, source: Arc<Source>) -> Self {
        Self::new(table, name, hash, source, Rows::Through(Box::default()), 0)
    }

    fn new(table: TableId, name: Arc<str>, hash: u64, source: Arc<Source>, rows: Rows, bytes: usize) -> Self {
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
        matches!(self.read().rows, Rows::Held(_))
    }

    /// Whether all rows are in memory and there is none.
    pub(crate) fn is_held_empty(&self) -> bool {
        match &self.read().rows {
            Rows::Held(held) => held.as_ref().is_none_or(|held| held.len() == 0),
            Rows::Through(_) => false,
        }
    }

    /// The value of one row.
    ///
    /// # Errors
    /// Those of the backend, for a partition that is too big to be held. A
    /// held partition gives none.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        match &self.read().rows {
            Rows::Held(None) => return Ok(None),
            Rows::Held(Some(held)) => return Ok(held.get(key).map(|row| row.value.clone())),
            Rows::Through(overlay) => match overlay.rows.get(key) {
                Some((_, row)) => return Ok(row.as_ref().map(|row| row.value.clone())),
                None if overlay.wiped.is_some() => return Ok(None),
                None => {}
            },
        }
        Ok(self.source.row(&self.name, key)?.map(|row| row.value))
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
        if let Rows::Held(held) = &self.read().rows {
            return Ok(held.as_ref().map_or(0, |held| held.len()));
        }
        Ok(self.scan(&Scan::all())?.len())
    }

    /// Whether there is no row.
    ///
    /// # Errors
    /// As [`Partition::get`].
    pub fn is_empty(&self) -> Result<bool> {
        if let Rows::Held(held) = &self.read().rows {
            return Ok(held.as_ref().is_none_or(|held| held.len() == 0));
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
            Rows::Held(_) => Overlay::default(),
            Rows::Through(overlay) => Overlay::clone(overlay),
        };
        if own.is_empty() && upper.is_empty() {
            return base(scan);
        }
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
        if let Rows::Held(held) = &self.read().rows {
            return Ok(held.as_ref().map(|held| held.scan(scan)).unwrap_or_default());
        }
        self.source.rows(&self.name, scan)
    }

    fn base_index(&self, index: &str, values: &Scan) -> Result<Vec<((Bytes, Bytes), RowHit)>> {
        if let Rows::Held(held) = &self.read().rows {
            return Ok(held.as_ref().map(|held| held.by_index(index, values)).unwrap_or_default());
        }
        self.source.by_index(&self.name, index, values)
    }

    /// Applies a submitted write; returns the change of its size in bytes.
    pub(crate) fn apply(&self, op: &TurnOp, seq: u64) -> isize {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let before = state.bytes;
        state.last_write = seq;
        state.bytes = match &mut state.rows {
            Rows::Held(held) => before.saturating_add_signed(held.get_or_insert_default().apply(op)),
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

    /// Memory it takes, in bytes; for one too big to be held only what is not committed yet.
    #[must_use]
    pub fn bytes(&self) -> usize {
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

/// A scan of exactly one value.
fn exactly(value: &[u8]) -> Scan {
    let one = value.to_vec();
    Scan { lower: Bound::Included(one.clone()), upper: Bound::Included(one), limit: usize::MAX, reverse: false }
}

fn within(scan: &Scan, key: &[u8]) -> bool {
    let bounds = (as_ref(&scan.lower), as_ref(&scan.upper));
    RangeBounds::<[u8]>::contains(&bounds, key)
}
