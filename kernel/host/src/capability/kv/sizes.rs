use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use xylem_store::TableId;

/// Partitions that are known at a time.
const MOST: usize = 1000;

/// How big partitions are that are not held in memory. To count one takes reading all of it, so it is
/// counted once; from then on a known size is what was counted and all that was written since, replaced
/// or not, and when that reaches the quota it is counted again.
#[derive(Default)]
pub(crate) struct Sizes(Mutex<HashMap<(TableId, Box<str>), Size>>);

/// Rows, and bytes of keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl Size {
    fn with(self, more: Self) -> Self {
        Self { rows: self.rows.saturating_add(more.rows), bytes: self.bytes.saturating_add(more.bytes) }
    }

    /// Whether it is within a quota.
    pub(crate) fn is_within(self, quota: Self) -> bool {
        self.rows <= quota.rows && self.bytes <= quota.bytes
    }
}

impl Sizes {
    /// Takes room for what is to be written; false if there is none. `count` counts what is there.
    ///
    /// # Errors
    /// Those of `count`.
    pub(super) fn take<E>(
        &self,
        (table, partition): (TableId, &str),
        more: Size,
        quota: Size,
        count: impl FnOnce() -> Result<Size, E>,
    ) -> Result<bool, E> {
        let key = (table, Box::from(partition));
        if let Some(known) = self.lock().get_mut(&key)
            && known.with(more).is_within(quota)
        {
            *known = known.with(more);
            return Ok(true);
        }
        let counted = count()?;
        let fits = counted.with(more).is_within(quota);
        let mut known = self.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, if fits { counted.with(more) } else { counted });
        Ok(fits)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TableId, Box<str>), Size>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn it_is_counted_once_and_again_at_the_quota() {
        let (sizes, counts, there) = (Sizes::default(), Cell::new(0), Cell::new(5));
        let quota = Size { rows: 10, bytes: 1000 };
        let table = xylem_store::Store::memory().unwrap().table("t");
        let take = |rows, bytes| {
            let count = || {
                counts.set(counts.get() + 1);
                Ok::<_, Infallible>(Size { rows: there.get(), bytes: there.get() * 10 })
            };
            sizes.take((table, "p"), Size { rows, bytes }, quota, count).unwrap()
        };
        assert!((0..5).all(|_| take(1, 10)));
        assert_eq!(counts.get(), 1);
        // Rows were replaced or deleted meanwhile: there is room after all.
        there.set(7);
        assert!(take(1, 10));
        assert_eq!(counts.get(), 2);
        there.set(10);
        assert!(take(1, 10) && take(1, 10) && !take(1, 10) && take(0, 10));
        assert!(!take(0, 950), "bytes count as well");
    }
}
