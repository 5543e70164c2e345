//! How often tables were written to, for those who remember what they found there.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::tables::TableId;

/// Tables that share a number here are taken for one: a look too many, never one too few.
const NUMBERS: usize = 1024;

/// A rising number for each table.
pub(crate) struct Versions(Box<[AtomicU64]>);

impl Versions {
    pub(crate) fn new() -> Self {
        Self((0..NUMBERS).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn of(&self, table: TableId) -> u64 {
        self.0.get(table.0 as usize % NUMBERS).map_or(0, |number| number.load(Ordering::Acquire))
    }

    /// After a write shows in memory.
    pub(crate) fn rise(&self, table: TableId) {
        if let Some(number) = self.0.get(table.0 as usize % NUMBERS) {
            number.fetch_add(1, Ordering::Release);
        }
    }

    pub(crate) fn rise_all(&self) {
        for number in &self.0 {
            number.fetch_add(1, Ordering::Release);
        }
    }
}
