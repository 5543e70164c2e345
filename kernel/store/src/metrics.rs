//! Counters of the committer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the commit latency buckets in milliseconds; a last bucket
/// takes what is above them.
pub const LATENCY_BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

const BUCKETS: usize = LATENCY_BOUNDS_MS.len() + 1;

/// Counters since the store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsSnapshot {
    /// Backend commits.
    pub commits: u64,
    /// Batches and turns in them.
    pub batches: u64,
    /// Entries written or deleted.
    pub entries: u64,
    /// Bytes of keys and values handed to the backend.
    pub bytes: u64,
    /// Duration of the last commit, in microseconds.
    pub last_commit_us: u64,
    /// Sum of the durations of all commits, in microseconds.
    pub total_commit_us: u64,
    /// Commits per latency bucket ([`LATENCY_BOUNDS_MS`]), not cumulative.
    pub latency: [u64; BUCKETS],
    /// Kv partitions found in memory.
    pub cache_hits: u64,
    /// Kv partitions read from the backend.
    pub cache_misses: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    commits: AtomicU64,
    batches: AtomicU64,
    entries: AtomicU64,
    bytes: AtomicU64,
    last_commit_us: AtomicU64,
    total_commit_us: AtomicU64,
    latency: [AtomicU64; BUCKETS],
    pub(crate) cache_hits: AtomicU64,
    pub(crate) cache_misses: AtomicU64,
}

impl Metrics {
    pub(crate) fn committed(&self, batches: usize, entries: usize, bytes: usize, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.batches.fetch_add(batches as u64, Ordering::Relaxed);
        self.entries.fetch_add(entries as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.last_commit_us.store(us, Ordering::Relaxed);
        self.total_commit_us.fetch_add(us, Ordering::Relaxed);
        let bucket = LATENCY_BOUNDS_MS.partition_point(|bound| bound * 1000 < us);
        if let Some(bucket) = self.latency.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MetricsSnapshot {
            commits: read(&self.commits),
            batches: read(&self.batches),
            entries: read(&self.entries),
            bytes: read(&self.bytes),
            last_commit_us: read(&self.last_commit_us),
            total_commit_us: read(&self.total_commit_us),
            latency: std::array::from_fn(|at| self.latency.get(at).map_or(0, read)),
            cache_hits: read(&self.cache_hits),
            cache_misses: read(&self.cache_misses),
        }
    }
}
