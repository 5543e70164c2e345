use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::rows::{Hit, Row, Rows};

/// What a turn wrote so far, by number of the store.
#[derive(Default)]
pub(crate) struct Writes(SmallVec<[(usize, Draft); 1]>);

/// What it wrote to one partition: `None` deletes.
#[derive(Default)]
pub(crate) struct Draft {
    pub(super) rows: BTreeMap<Arc<str>, Option<Row>>,
    /// How it changes the size of the partition.
    count: isize,
    bytes: isize,
}

impl Writes {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of rows written or deleted.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|(_, draft)| draft.rows.len()).sum()
    }

    /// All of it, by number of the store; nothing is left.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (usize, Draft)> {
        std::mem::take(&mut self.0).into_iter()
    }

    pub(crate) fn get(&self, store: usize, base: Option<&Rows>, key: &str) -> Option<Bytes> {
        match self.draft(store).and_then(|draft| draft.rows.get(key)) {
            Some(row) => row.as_ref().map(|row| row.value.clone()),
            None => base.and_then(|base| base.get(key)),
        }
    }

    /// Writes a row; false if the partition would have more than so many rows or bytes.
    #[must_use]
    pub(crate) fn put(&mut self, store: usize, base: Option<&Rows>, key: &str, row: Row, quota: (u64, u64)) -> bool {
        let draft = self.draft_mut(store);
        let before = draft.size_of(base, key);
        let (count, bytes) = base.map_or((0, 0), Rows::size);
        let grows = draft.count + isize::from(before.is_none());
        let swells = draft.bytes + row.size(key).cast_signed() - before.unwrap_or(0).cast_signed();
        let within = |now: usize, change: isize, most: u64| {
            change <= 0 || u64::try_from(now.saturating_add_signed(change)).is_ok_and(|then| then <= most)
        };
        if !within(count, grows, quota.0) || !within(bytes, swells, quota.1) {
            return false;
        }
        (draft.count, draft.bytes) = (grows, swells);
        draft.rows.insert(key.into(), Some(row));
        true
    }

    /// Deletes a row; false when there was none.
    pub(crate) fn delete(&mut self, store: usize, base: Option<&Rows>, key: &str) -> bool {
        let draft = self.draft_mut(store);
        let Some(before) = draft.size_of(base, key) else { return false };
        draft.count -= 1;
        draft.bytes -= before.cast_signed();
        draft.rows.insert(key.into(), None);
        true
    }

    /// Rows in key order whose key begins so, after a key.
    pub(crate) fn scan(
        &self,
        store: usize,
        base: Option<&Rows>,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Hit> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let Some(draft) = self.draft(store) else {
            return base.map_or_else(Vec::new, |base| base.scan(from, prefix, limit));
        };
        let stored = base.map_or_else(Vec::new, |base| base.scan(from, prefix, limit.saturating_add(draft.rows.len())));
        let own = draft.rows.range::<str, _>((from, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
        draft.over(stored, own, limit)
    }

    /// Rows in key order that carry this index value.
    pub(crate) fn by_index(
        &self,
        store: usize,
        base: Option<&Rows>,
        index: &str,
        value: &str,
        limit: usize,
    ) -> Vec<Hit> {
        let Some(draft) = self.draft(store) else {
            return base.map_or_else(Vec::new, |base| base.by_index(index, value, limit));
        };
        let most = limit.saturating_add(draft.rows.len());
        let stored = base.map_or_else(Vec::new, |base| base.by_index(index, value, most));
        let own = draft.rows.iter().filter(|(_, row)| row.as_ref().is_some_and(|row| row.is_under(index, value)));
        draft.over(stored, own, limit)
    }

    fn draft(&self, store: usize) -> Option<&Draft> {
        self.0.iter().find(|(at, _)| *at == store).map(|(_, draft)| draft)
    }

    fn draft_mut(&mut self, store: usize) -> &mut Draft {
        let at = self.0.iter().position(|(at, _)| *at == store).unwrap_or_else(|| {
            self.0.push((store, Draft::default()));
            self.0.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "found or pushed above")]
        &mut self.0[at].1
    }
}

impl Draft {
    fn size_of(&self, base: Option<&Rows>, key: &str) -> Option<usize> {
        match self.rows.get(key) {
            Some(row) => row.as_ref().map(|row| row.size(key)),
            None => base.and_then(|base| base.size_of(key)),
        }
    }

    /// Stored rows that it did not touch, and those of its own that fit.
    fn over<'a>(
        &self,
        stored: Vec<Hit>,
        own: impl Iterator<Item = (&'a Arc<str>, &'a Option<Row>)>,
        limit: usize,
    ) -> Vec<Hit> {
        let own = own.filter_map(|(key, row)| Some((Arc::clone(key), row.as_ref()?.value.clone())));
        let kept = stored.into_iter().filter(|(key, _)| !self.rows.contains_key(key));
        let merged: BTreeMap<Arc<str>, Bytes> = kept.chain(own).collect();
        merged.into_iter().take(limit).collect()
    }
}
