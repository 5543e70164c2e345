//! Table names as small numbers, so that the hot path hashes four bytes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::HashMap;

use crate::batch::check_table;
use crate::error::Result;

/// A table name, interned for the life of the store. Not stable across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub(crate) u32);

/// Read at every access to a row, written a few times in the life of a server: so without
/// a lock, which all threads would have to write to.
#[derive(Default)]
pub(crate) struct Tables {
    names: ArcSwap<Names>,
}

#[derive(Clone, Default)]
struct Names {
    by_name: HashMap<Arc<str>, TableId>,
    by_id: Vec<Arc<str>>,
}

impl Tables {
    pub(crate) fn id(&self, name: &str) -> TableId {
        if let Some(id) = self.names.load().by_name.get(name) {
            return *id;
        }
        self.names.rcu(|names| {
            let mut names = Names::clone(names);
            names.add(name);
            names
        });
        // Whoever added it, it is there, and the number of a name never changes.
        self.names.load().by_name.get(name).copied().unwrap_or(TableId(u32::MAX))
    }

    /// Refuses a table whose name is too long for the backend.
    pub(crate) fn check(&self, id: TableId) -> Result<()> {
        self.names.load().by_id.get(id.0 as usize).map_or(Ok(()), |name| check_table(name))
    }

    /// The name behind an id of this store.
    pub(crate) fn name(&self, id: TableId) -> Arc<str> {
        self.names.load().by_id.get(id.0 as usize).cloned().unwrap_or_default()
    }
}

impl Names {
    fn add(&mut self, name: &str) {
        if !self.by_name.contains_key(name) {
            let id = TableId(u32::try_from(self.by_id.len()).unwrap_or(u32::MAX));
            let name: Arc<str> = name.into();
            self.by_id.push(Arc::clone(&name));
            self.by_name.insert(name, id);
        }
    }
}
