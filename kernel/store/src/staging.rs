use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use crate::backend::{Backend, Entry, Scan};
use crate::batch::{Batch, Op};
use crate::error::Result;
use crate::text::TextOf;

type Staged = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The writes of a group before they go to the backend in one commit. Reads
/// through it see them, so a turn that needs what an earlier turn of the same
/// group wrote finds it; and of many writes to one entry only the last remains.
pub(crate) struct Staging<'a> {
    backend: &'a dyn Backend,
    tables: HashMap<Arc<str>, Staged>,
    entries: usize,
    texts: Arc<Texts>,
}

/// By table: where the words of archive rows are.
pub(crate) type Texts = hashbrown::HashMap<Arc<str>, TextOf>;

impl<'a> Staging<'a> {
    pub(crate) fn new(backend: &'a dyn Backend, texts: Arc<Texts>) -> Self {
        Self { backend, tables: HashMap::new(), entries: 0, texts }
    }

    /// How the text of a row of this table is found, if the table is indexed at all.
    pub(crate) fn text_of(&self, table: &str) -> Option<TextOf> {
        self.texts.get(table).cloned()
    }

    pub(crate) fn write(&mut self, op: Op) {
        let staged = self.tables.entry(op.table).or_default();
        if staged.insert(op.key, op.value).is_none() {
            self.entries += 1;
        }
    }

    pub(crate) fn put(&mut self, table: &Arc<str>, key: Vec<u8>, value: Vec<u8>) {
        self.write(Op { table: Arc::clone(table), key, value: Some(value) });
    }

    pub(crate) fn delete(&mut self, table: &Arc<str>, key: Vec<u8>) {
        self.write(Op { table: Arc::clone(table), key, value: None });
    }

    pub(crate) fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.tables.get(table).and_then(|staged| staged.get(key)) {
            Some(value) => Ok(value.clone()),
            None => self.backend.get(table, key),
        }
    }

    pub(crate) fn scan(&self, table: &str, scan: &Scan) -> Result<Vec<Entry>> {
        let Some(staged) = self.tables.get(table) else { return self.backend.scan(table, scan) };
        if scan.is_empty() {
            return Ok(Vec::new());
        }
        let range = (as_ref(&scan.lower), as_ref(&scan.upper));
        let changed: Vec<_> = staged.range::<[u8], _>(range).collect();
        // Each change can hide at most one entry of the backend.
        let wanted = scan.limit.saturating_add(changed.len());
        let mut merged: BTreeMap<_, _> = self.backend.scan(table, &scan.clone().limit(wanted))?.into_iter().collect();
        for (key, value) in changed {
            match value {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        Ok(if scan.reverse {
            merged.into_iter().rev().take(scan.limit).collect()
        } else {
            merged.into_iter().take(scan.limit).collect()
        })
    }

    pub(crate) fn into_batch(self) -> Batch {
        let mut ops = Vec::with_capacity(self.entries);
        for (table, staged) in self.tables {
            ops.extend(staged.into_iter().map(|(key, value)| Op { table: Arc::clone(&table), key, value }));
        }
        Batch { ops }
    }
}

pub(crate) fn as_ref(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}
