//! The same for stores of class `volatile`.

use std::sync::Arc;

use bytes::Bytes;
use xylem_hooks::manifest::Class;

use super::{IndexEntry, Row};
use crate::capability::Fault;
use crate::guest::{Call, Core, StoreSlot};
use crate::volatile::{self, Rows};

/// A volatile store as a call sees it.
pub(super) struct Open {
    at: usize,
    base: Option<Arc<Rows>>,
}

/// `None` for stores of other classes, and where there is no key.
pub(super) fn open(core: &Core, call: &Call, store: u32) -> Option<Open> {
    let at = usize::try_from(store).ok()?;
    let slot = core.stores.get(at).filter(|slot| slot.class == Class::Volatile && !call.cause.key.is_empty())?;
    let base = core.services.volatile.rows(&slot.name, Core::partition_name(slot, &call.cause));
    Some(Open { at, base })
}

impl Open {
    pub(super) fn get(&self, call: &Call, key: &str) -> Option<Vec<u8>> {
        call.volatile.get(self.at, self.base.as_deref(), key).map(|value| value.to_vec())
    }

    pub(super) fn put(
        &self,
        core: &Core,
        call: &mut Call,
        key: &str,
        value: Vec<u8>,
        indexed: &[IndexEntry],
    ) -> Result<(), Fault> {
        let quota = core.stores.get(self.at).map_or((0, 0), quota);
        let indexed = indexed.iter().map(|entry| (entry.index.as_str().into(), entry.value.as_str().into())).collect();
        let row = volatile::Row { value: value.into(), indexed };
        let fits = call.volatile.put(self.at, self.base.as_deref(), key, row, quota);
        if fits { Ok(()) } else { Err(Fault::Quota) }
    }

    pub(super) fn delete(&self, call: &mut Call, key: &str) -> bool {
        call.volatile.delete(self.at, self.base.as_deref(), key)
    }

    pub(super) fn scan(&self, call: &Call, prefix: &str, after: Option<&str>, limit: usize) -> Vec<Row> {
        let hits = call.volatile.scan(self.at, self.base.as_deref(), prefix, after, limit);
        hits.into_iter().map(|(key, value)| Row { key: key.to_string(), value: value.to_vec() }).collect()
    }

    /// Index value, key and row, as stores of other classes give them.
    pub(super) fn indexed(&self, call: &Call, index: &str, value: &str, limit: usize) -> Vec<(Bytes, Bytes, Bytes)> {
        let hits = call.volatile.by_index(self.at, self.base.as_deref(), index, value, limit);
        let under = Bytes::copy_from_slice(value.as_bytes());
        let hit = |(key, row): (Arc<str>, Bytes)| (under.clone(), Bytes::copy_from_slice(key.as_bytes()), row);
        hits.into_iter().map(hit).collect()
    }
}

fn quota(slot: &StoreSlot) -> (u64, u64) {
    (slot.quota_rows, slot.quota_bytes)
}
