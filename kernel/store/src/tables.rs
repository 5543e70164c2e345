//! Table names as small numbers, so that the hot path hashes four bytes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::batch::check_table;
use crate::error::Result;

/// A table name, interned for the life of the store. Not stable across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub(crate) u32);

#[derive(Default)]
pub(crate) struct Tables {
    names: RwLock<Names>,
}

#[derive(Default)]
struct Names {
    by_name: HashMap<Arc<str>, TableId>,
    by_id: Vec<Arc<str>>,
}

impl Tables {
    pub(crate) fn id(&self, name: &str) -> TableId {
        if let Some(id) = self.names.read().unwrap_or_else(PoisonError::into_inner).by_name.get(name) {
            return *id;
        }
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = names.by_name.get(name) {
            return *id;
        }
        let id = TableId(u32::try_from(names.by_id.len()).unwrap_or(u32::MAX));
        let name: Arc<str> = name.into();
        names.by_id.push(Arc::clone(&name));
        names.by_name.insert(name, id);
        id
    }

    /// Refuses a table whose name is too long for the backend.
    pub(crate) fn check(&self, id: TableId) -> Result<()> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.by_id.get(id.0 as usize).map_or(Ok(()), |name| check_table(name))
    }

    /// The name behind an id of this store.
    pub(crate) fn name(&self, id: TableId) -> Arc<str> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.by_id.get(id.0 as usize).cloned().unwrap_or_default()
    }
}
