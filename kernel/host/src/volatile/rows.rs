use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;
use xylem_store::Few;

use super::Draft;

/// Bookkeeping of a row, in bytes: the same as for rows of other classes.
const ROW: usize = 128;

/// A row: its value and under which index values it is found.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) value: Bytes,
    pub(crate) indexed: Vec<(Box<str>, Box<str>)>,
}

/// Key and value.
pub(crate) type Hit = (Arc<str>, Bytes);

/// The rows of a partition.
#[derive(Default)]
pub(crate) struct Rows(RwLock<State>);

#[derive(Default)]
struct State {
    rows: Few<Arc<str>, Row>,
    /// Index, value, key.
    index: BTreeSet<(Box<str>, Box<str>, Arc<str>)>,
    bytes: usize,
}

impl Row {
    /// What it counts for, in bytes.
    pub(crate) fn size(&self, key: &str) -> usize {
        let indexed = self.indexed.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        ROW + key.len() + self.value.len() + indexed
    }

    pub(crate) fn is_under(&self, index: &str, value: &str) -> bool {
        self.indexed.iter().any(|(name, at)| **name == *index && **at == *value)
    }
}

impl Rows {
    /// Rows and bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        let state = self.read();
        (state.rows.len(), state.bytes)
    }

    pub(crate) fn get(&self, key: &str) -> Option<Bytes> {
        self.read().rows.get(key).map(|row| row.value.clone())
    }

    /// What a row counts for.
    pub(crate) fn size_of(&self, key: &str) -> Option<usize> {
        self.read().rows.get(key).map(|row| row.size(key))
    }

    /// Rows in key order from a bound on whose key begins so.
    pub(crate) fn scan(&self, from: Bound<&str>, prefix: &str, limit: usize) -> Vec<Hit> {
        let state = self.read();
        let range = state.rows.range::<str>((from, Bound::Unbounded));
        let hits = range.take_while(|(key, _)| key.starts_with(prefix)).take(limit);
        hits.map(|(key, row)| (Arc::clone(key), row.value.clone())).collect()
    }

    pub(crate) fn by_index(&self, index: &str, value: &str, limit: usize) -> Vec<Hit> {
        let state = self.read();
        let from = (Box::from(index), Box::from(value), Arc::from(""));
        let entries = state.index.range((Bound::Included(from), Bound::Unbounded));
        let keys = entries.take_while(|(name, at, _)| **name == *index && **at == *value).map(|(.., key)| key);
        keys.filter_map(|key| Some((Arc::clone(key), state.rows.get(key)?.value.clone()))).take(limit).collect()
    }

    /// Carries out writes; gives back how many rows there are then.
    pub(super) fn apply(&self, draft: Draft) -> usize {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (key, row) in draft.rows {
            state.set(key, row);
        }
        state.rows.len()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set(&mut self, key: Arc<str>, row: Option<Row>) {
        if let Some(old) = self.rows.remove(&key) {
            self.bytes = self.bytes.saturating_sub(old.size(&key));
            for (name, value) in old.indexed {
                self.index.remove(&(name, value, Arc::clone(&key)));
            }
        }
        let Some(row) = row else { return };
        self.bytes += row.size(&key);
        for (name, value) in &row.indexed {
            self.index.insert((name.clone(), value.clone(), Arc::clone(&key)));
        }
        self.rows.insert(key, row);
    }
}
