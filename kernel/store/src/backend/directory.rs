//! Table names and their numbers. An entry's key starts with its table's
//! number, so all tables live in one tree of the engine.

use std::collections::HashMap;
use std::sync::Arc;

use super::layered::{DIRECTORY, FIRST_TABLE};

/// A table as the engine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) number: u32,
    /// Whether it may hold chunked values; while it does not, overwriting and
    /// deleting need not look at the old entry.
    pub(super) chunked: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    tables: HashMap<Arc<str>, Table>,
    last: u32,
}

impl Directory {
    pub(super) fn find(&self, name: &str) -> Option<Table> {
        self.tables.get(name).copied()
    }

    /// The next free number; it is taken once [`Directory::set`] is called.
    pub(super) fn fresh(&self) -> Table {
        Table { number: self.last.max(FIRST_TABLE - 1) + 1, chunked: false }
    }

    pub(super) fn set(&mut self, name: Arc<str>, table: Table) {
        self.last = self.last.max(table.number);
        self.tables.insert(name, table);
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.tables.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        names
    }
}

pub(super) fn row_key(name: &str) -> Vec<u8> {
    let mut key = DIRECTORY.to_be_bytes().to_vec();
    key.extend_from_slice(name.as_bytes());
    key
}

pub(super) fn encode(table: Table) -> Vec<u8> {
    let mut row = table.number.to_le_bytes().to_vec();
    row.push(u8::from(table.chunked));
    row
}

pub(super) fn decode(row: &[u8]) -> Option<Table> {
    let (number, rest) = row.split_first_chunk::<4>()?;
    Some(Table { number: u32::from_le_bytes(*number), chunked: *rest.first()? != 0 })
}
