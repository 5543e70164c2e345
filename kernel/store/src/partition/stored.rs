//! Rows and index entries of a partition that is too big to be held.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;

use super::RowHit;
use crate::backend::{Backend, Entry, Scan};
use crate::error::Result;
use crate::health::Fuse;
use crate::keys::{self, Family, Key, Parts};
use crate::row::Row;

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

    pub(super) fn rows(&self, partition: &str, scan: &Scan) -> Result<Vec<(Bytes, RowHit)>> {
        let prefix = Key::new(Family::Row, partition).prefix();
        let entries = self.scan(&keys::below(&prefix, scan))?;
        let hit = |(key, stored): Entry| {
            let key = Bytes::from(key).slice(prefix.len()..);
            let row = Row::decode(&self.table, stored)?;
            Ok((key.clone(), (key, row.value)))
        };
        entries.into_iter().map(hit).collect()
    }

    pub(super) fn row(&self, partition: &str, key: &[u8]) -> Result<Option<Row>> {
        let at = Key::new(Family::Row, partition).last(key);
        let stored = self.get(&at)?;
        stored.map(|stored| Row::decode(&self.table, stored)).transpose()
    }

    pub(super) fn by_index(
        &self,
        partition: &str,
        index: &str,
        values: &Scan,
    ) -> Result<Vec<((Bytes, Bytes), RowHit)>> {
        let prefix = Key::new(Family::Index, partition).part(index.as_bytes()).prefix();
        let scan = keys::below(&prefix, &escaped(values));
        let mut hits = Vec::new();
        for (entry, _) in self.scan(&scan)? {
            let mut parts = Parts::of(&entry);
            let (Some(_), Some(_), Some(value)) = (parts.part(), parts.part(), parts.part()) else { continue };
            let key = Bytes::copy_from_slice(parts.last());
            if let Some(row) = self.row(partition, &key)? {
                hits.push(((Bytes::from(value), key.clone()), (key, row.value)));
            }
        }
        Ok(hits)
    }
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
