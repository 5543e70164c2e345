//! What Prometheus is told. Nothing is counted here twice: a scrape asks the parts
//! of the server for the numbers they keep anyway.

mod collector;

use std::sync::atomic::{AtomicU64, Ordering};

pub use collector::Metrics;

/// Logins since the start.
#[derive(Debug, Default)]
pub struct Logins {
    succeeded: AtomicU64,
    failed: AtomicU64,
}

impl Logins {
    pub fn succeeded(&self) {
        self.succeeded.fetch_add(1, Ordering::Relaxed);
    }

    pub fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Those that succeeded, and those that failed.
    pub fn read(&self) -> (u64, u64) {
        (self.succeeded.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}
