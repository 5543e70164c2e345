use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::layered::{Engine, Layered, Write};
use super::{Backend, Entry, Scan};
use crate::error::Result;

/// A backend that keeps nothing: for tests and `xylem dev` without a disk.
#[must_use]
pub fn memory() -> Arc<dyn Backend> {
    Arc::new(Layered::empty(Memory::default()))
}

#[derive(Default)]
struct Memory {
    entries: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Engine for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn max_entry(&self) -> usize {
        usize::MAX
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.entries.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn range(&self, scan: &Scan) -> Result<Vec<Entry>> {
        if scan.is_empty() {
            return Ok(Vec::new());
        }
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let range = entries.range((scan.lower.clone(), scan.upper.clone()));
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        Ok(if scan.reverse {
            range.rev().take(scan.limit).map(copy).collect()
        } else {
            range.take(scan.limit).map(copy).collect()
        })
    }

    fn apply(&self, writes: Vec<Write>) -> Result<()> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in writes {
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }
        Ok(())
    }

    fn size(&self) -> Result<u64> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        Ok(entries.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum())
    }

    fn reads_block(&self) -> bool {
        false
    }
}
