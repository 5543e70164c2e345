use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::error::{Result, StoreError};
use crate::options::LowWater;

const LOOK_EVERY_MS: u64 = 1000;
const AUTO_BYTES: u64 = 512 << 20;
const AUTO_PARTS: u64 = 20;

/// Watches free disk space. Looks at most once a second, and only when
/// somebody wants to write, so an idle server is not woken for it.
#[derive(Debug)]
pub(crate) struct DiskSpace {
    path: Option<PathBuf>,
    low_water: LowWater,
    start: Instant,
    next_look_ms: AtomicU64,
    low: AtomicBool,
    free: AtomicU64,
    needed: AtomicU64,
}

impl DiskSpace {
    pub(crate) fn new(path: Option<PathBuf>, low_water: LowWater) -> Self {
        let path = path.filter(|_| !matches!(low_water, LowWater::Off | LowWater::Bytes(0)));
        Self {
            path,
            low_water,
            start: Instant::now(),
            next_look_ms: AtomicU64::new(0),
            low: AtomicBool::new(false),
            free: AtomicU64::new(0),
            needed: AtomicU64::new(0),
        }
    }

    /// Whether there is room for more data.
    pub(crate) fn check(&self) -> Result<()> {
        self.look();
        if !self.low.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(StoreError::DiskFull {
            free: self.free.load(Ordering::Relaxed),
            needed: self.needed.load(Ordering::Relaxed),
        })
    }

    pub(crate) fn is_low(&self) -> bool {
        self.check().is_err()
    }

    pub(crate) fn free(&self) -> Option<u64> {
        self.path.as_ref()?;
        self.look();
        Some(self.free.load(Ordering::Relaxed))
    }

    fn look(&self) {
        let Some(path) = &self.path else { return };
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.next_look_ms.load(Ordering::Relaxed);
        let next = now + LOOK_EVERY_MS;
        if now < due || self.next_look_ms.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        match rustix::fs::statvfs(path) {
            Ok(fs) => self.judge(fs.f_bavail.saturating_mul(fs.f_frsize), fs.f_blocks.saturating_mul(fs.f_frsize)),
            Err(error) => tracing::warn!(path = %path.display(), %error, "free disk space is unknown"),
        }
    }

    fn judge(&self, free: u64, total: u64) {
        let needed = match self.low_water {
            LowWater::Auto => AUTO_BYTES.min(total / AUTO_PARTS),
            LowWater::Bytes(bytes) => bytes,
            LowWater::Off => 0,
        };
        let low = free < needed;
        self.free.store(free, Ordering::Relaxed);
        self.needed.store(needed, Ordering::Relaxed);
        if self.low.swap(low, Ordering::Relaxed) != low {
            if low {
                tracing::error!(free, needed, "the disk is nearly full: only deletes are taken");
            } else {
                tracing::info!(free, needed, "there is disk space again");
            }
        }
    }
}
