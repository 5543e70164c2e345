//! Lines that somebody could make as many of as he likes: the first few of a minute are written, the others counted.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long what was written counts.
const WINDOW: Duration = Duration::from_secs(60);
/// Whose lines are counted at once, at most; those of all others together are as those of one more.
const MOST: usize = 4096;

/// Counts lines by whose they are.
#[derive(Debug)]
pub struct Sparing<K> {
    /// Lines of one that are written in a minute.
    lines: u64,
    counted: Mutex<HashMap<Option<K>, Counted>>,
}

#[derive(Debug)]
struct Counted {
    since: Instant,
    written: u64,
    left_out: u64,
}

impl<K: Hash + Eq> Sparing<K> {
    #[must_use]
    pub fn new(lines: u64) -> Self {
        Self { lines, counted: Mutex::default() }
    }

    /// Whether a line is written now: then, how many of his were left out before it.
    pub fn admit(&self, whose: K, now: Instant) -> Option<u64> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |it: &Counted| now.saturating_duration_since(it.since) >= WINDOW;
        let mut key = Some(whose);
        if counted.len() >= MOST && !counted.contains_key(&key) {
            counted.retain(|_, it| !is_over(it) || it.left_out > 0);
            if counted.len() >= MOST {
                key = None;
            }
        }
        let it = counted.entry(key).or_insert(Counted { since: now, written: 0, left_out: 0 });
        if is_over(it) {
            (it.since, it.written) = (now, 0);
        }
        if it.written >= self.lines {
            it.left_out = it.left_out.saturating_add(1);
            return None;
        }
        it.written += 1;
        Some(std::mem::take(&mut it.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_written_and_the_next_one_says_how_many_were_not() {
        let (sparing, begin) = (Sparing::new(2), Instant::now());
        let said = [0, 1, 2, 59, 61, 62].map(|after| sparing.admit("a", begin + Duration::from_secs(after)));
        assert_eq!(said, [Some(0), Some(0), None, None, Some(2), Some(0)]);
        assert_eq!(sparing.admit("b", begin), Some(0));
    }

    #[test]
    fn whoever_is_many_is_counted_as_one() {
        let (sparing, begin) = (Sparing::new(1), Instant::now());
        let written = (0..MOST + 100).filter(|n| sparing.admit(*n, begin).is_some()).count();
        assert_eq!(written, MOST + 1);
        assert!(sparing.counted.lock().is_ok_and(|counted| counted.len() <= MOST + 1));
    }
}
