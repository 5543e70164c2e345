use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{ArchiveId, SEQUENCE_BITS};

/// Gives out archive ids. Starts above the last id that was ever committed. The
/// lower bits are scattered: who sees some ids cannot name those of others
/// (XEP-0313 §3.1 wants them unpredictable).
#[derive(Debug)]
pub(crate) struct ArchiveClock {
    last: AtomicU64,
    scatter: RandomState,
}

/// Of the running number, bits that are drawn for the first id of a millisecond; the
/// rest is room for those that follow.
const DRAWN: u64 = (1 << (SEQUENCE_BITS - 1)) - 1;
/// Widest step, less one, to the next id of the same millisecond.
const STEP: u64 = 0xFF;

impl ArchiveClock {
    pub(crate) fn starting_after(last: u64) -> Self {
        Self { last: AtomicU64::new(last), scatter: RandomState::new() }
    }

    pub(crate) fn next(&self, at_ms: u64) -> ArchiveId {
        let by_time = at_ms << SEQUENCE_BITS;
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let drawn = self.scatter.hash_one((last, at_ms));
            let next = (by_time | (drawn & DRAWN)).max(last.saturating_add(1 + (drawn & STEP)));
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return ArchiveId(next),
                Err(other) => last = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_when_the_clock_goes_back() {
        let clock = ArchiveClock::starting_after(0);
        let first = clock.next(1_000_000);
        let second = clock.next(10);
        let third = clock.next(1_000_001);
        assert!(first < second && second < third);
        assert_eq!((first.time_ms(), second.time_ms(), third.time_ms()), (1_000_000, 1_000_000, 1_000_001));
    }
}
