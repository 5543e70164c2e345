use std::collections::BTreeSet;
use std::ops::Bound;

use bytes::Bytes;

use super::{RowHit, within};
use crate::backend::Scan;
use crate::few::Few;
use crate::row::Row;
use crate::staging::as_ref;
use crate::turn::TurnOp;

/// Bookkeeping bytes of a row in memory.
const ROW_BYTES: usize = 128;

/// Index name, value, key of the row.
type IndexEntry = (Box<str>, Bytes, Bytes);

/// All rows of a partition, and their index.
#[derive(Default)]
pub(super) struct Held {
    rows: Few<Bytes, Row>,
    index: BTreeSet<IndexEntry>,
}

impl Held {
    pub(super) fn new(rows: Few<Bytes, Row>) -> Self {
        let index = rows.iter().flat_map(|(key, row)| index_entries(key, row)).collect();
        Self { rows, index }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Row> {
        self.rows.get(key)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.iter().map(|(key, row)| key.len() + row_bytes(row)).sum()
    }

    pub(super) fn scan(&self, scan: &Scan) -> Vec<(Bytes, RowHit)> {
        let range = self.rows.range::<[u8]>((as_ref(&scan.lower), as_ref(&scan.upper)));
        let hit = |(key, row): (&Bytes, &Row)| (key.clone(), (key.clone(), row.value.clone()));
        if scan.reverse {
            range.rev().take(scan.limit).map(hit).collect()
        } else {
            range.take(scan.limit).map(hit).collect()
        }
    }

    pub(super) fn by_index(&self, index: &str, values: &Scan) -> Vec<((Bytes, Bytes), RowHit)> {
        let from = (Box::from(index), Bytes::new(), Bytes::new());
        let of_index = self.index.range((Bound::Included(from), Bound::Unbounded));
        let hits = of_index.take_while(|(name, ..)| **name == *index).filter(|(_, value, _)| within(values, value));
        let hit = |(_, value, key): &IndexEntry| {
            let row = self.rows.get(key)?;
            Some(((value.clone(), key.clone()), (key.clone(), row.value.clone())))
        };
        if values.reverse {
            let all: Vec<_> = hits.collect();
            all.into_iter().rev().take(values.limit).filter_map(hit).collect()
        } else {
            hits.take(values.limit).filter_map(hit).collect()
        }
    }

    /// Applies a write; returns the change of the size in bytes.
    pub(super) fn apply(&mut self, op: &TurnOp) -> isize {
        let (key, new) = match op {
            TurnOp::Put { key, row, .. } => (key, Some(row)),
            TurnOp::Delete { key, .. } => (key, None),
            TurnOp::DeletePartition { .. } => {
                let freed = self.bytes();
                *self = Self::default();
                return -freed.cast_signed();
            }
            TurnOp::Append { .. } | TurnOp::Replace { .. } | TurnOp::Purge { .. } | TurnOp::Raw(_) => return 0,
        };
        let old = match new {
            Some(row) => self.rows.insert(key.clone(), row.clone()),
            None => self.rows.remove(key),
        };
        let size = |row: Option<&Row>| row.map_or(0, |row| (key.len() + row_bytes(row)).cast_signed());
        for entry in old.iter().flat_map(|row| index_entries(key, row)) {
            self.index.remove(&entry);
        }
        self.index.extend(new.iter().flat_map(|row| index_entries(key, row)));
        size(new) - size(old.as_ref())
    }
}

fn index_entries(key: &Bytes, row: &Row) -> impl Iterator<Item = (Box<str>, Bytes, Bytes)> {
    row.indexed.iter().map(|(name, value)| (name.clone(), value.clone(), key.clone()))
}

pub(super) fn row_bytes(row: &Row) -> usize {
    ROW_BYTES
        + row.value.len()
        + row.indexed.iter().map(|(name, value)| 2 * (name.len() + value.len()) + 64).sum::<usize>()
}
