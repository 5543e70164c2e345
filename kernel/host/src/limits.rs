//! What one instance may use: memory, tables, CPU time, log lines.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::engine::ticks;

/// Core instances, tables and memories of one component instance.
const CORE_INSTANCES: usize = 64;
const TABLES: usize = 32;
const MEMORIES: usize = 4;
const TABLE_ELEMENTS: usize = 20_000;

/// Linear memory and tables of one instance.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: usize,
    /// Bytes of linear memory now.
    pub(crate) memory: usize,
    /// What the guest asked for and did not get.
    pub(crate) refused: Option<&'static str>,
}

impl Limiter {
    pub(crate) fn new(bytes: u64) -> Self {
        Self { limit: usize::try_from(bytes).unwrap_or(usize::MAX), memory: 0, refused: None }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _most: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_sub(current).saturating_add(desired);
        if total > self.limit {
            self.refused = Some("memory");
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _most: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            self.refused = Some("table");
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

/// The time a call may take.
///
/// Epochs count time on the clock, which passes faster than CPU time on a busy
/// machine. So half the deadline is given by the clock alone, and the other half
/// is measured: reading a thread's CPU time is only paid by calls that are slow.
#[derive(Debug)]
pub(crate) struct Watch {
    half: Duration,
    wall: Duration,
    started: Instant,
    measured_from: Option<Duration>,
}

impl Watch {
    pub(crate) fn new(deadline: Duration, wall: Duration) -> Self {
        Self { half: deadline / 2, wall, started: Instant::now(), measured_from: None }
    }

    /// Ticks until [`Watch::expired`] is to be asked first.
    pub(crate) fn start(&mut self) -> u64 {
        self.started = Instant::now();
        self.measured_from = None;
        ticks(self.half)
    }

    /// Leaves out time that passed while others worked. Gives the ticks until
    /// [`Watch::expired`] is to be asked next.
    pub(crate) fn excuse(&mut self, spent: Duration) -> u64 {
        self.started += spent;
        self.measured_from = self.measured_from.map(|from| from + spent);
        ticks(self.half)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn expired(&mut self) -> UpdateDeadline {
        if self.elapsed() >= self.wall {
            return UpdateDeadline::Interrupt;
        }
        let Some(now) = cpu_time() else {
            // Not measurable here: the second half passes by the clock.
            let first = self.measured_from.replace(Duration::ZERO).is_none();
            return if first { UpdateDeadline::Continue(ticks(self.half)) } else { UpdateDeadline::Interrupt };
        };
        let Some(from) = self.measured_from else {
            self.measured_from = Some(now);
            return UpdateDeadline::Continue(ticks(self.half));
        };
        // The kernel brings the figure up to date every few milliseconds only.
        let used = now.saturating_sub(from) + Duration::from_millis(2);
        if used >= self.half {
            return UpdateDeadline::Interrupt;
        }
        UpdateDeadline::Continue(ticks(self.half - used))
    }
}

/// CPU time of the calling thread.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// So many per second; what is above is dropped and counted.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    /// Second in the upper half, count in the lower.
    state: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

impl Rate {
    /// Whether one more is allowed in this second.
    pub(crate) fn take(&self, now_ms: u64, per_second: u32) -> bool {
        let second = (now_ms / 1000) & 0xFFFF_FFFF;
        let step = |state: u64| {
            let count = if state >> 32 == second { state & 0xFFFF_FFFF } else { 0 };
            (count < u64::from(per_second)).then_some(second << 32 | (count + 1))
        };
        let taken = self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_ok();
        if !taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn memory_is_counted_over_all_memories() {
        let mut limiter = Limiter::new(100);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(!limiter.memory_growing(0, 41, None).unwrap());
        assert_eq!(limiter.refused, Some("memory"));
        assert!(limiter.memory_growing(60, 100, None).unwrap());
        assert_eq!(limiter.memory, 100);
        assert!(!limiter.table_growing(0, TABLE_ELEMENTS + 1, None).unwrap());
    }

    #[test]
    fn a_rate_starts_anew_each_second() {
        let rate = Rate::default();
        assert!(rate.take(1000, 2) && rate.take(1999, 2) && !rate.take(1999, 2));
        assert!(rate.take(2000, 2));
        assert_eq!(rate.dropped.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn waiting_is_no_cpu_time() {
        let mut watch = Watch::new(Duration::from_millis(40), Duration::from_secs(5));
        watch.start();
        assert!(matches!(watch.expired(), UpdateDeadline::Continue(_)));
        std::thread::sleep(Duration::from_millis(60));
        assert!(matches!(watch.expired(), UpdateDeadline::Continue(_)), "slept, not computed");
        let mut watch = Watch::new(Duration::from_millis(40), Duration::from_millis(1));
        watch.start();
        std::thread::sleep(Duration::from_millis(2));
        assert!(matches!(watch.expired(), UpdateDeadline::Interrupt), "wall deadline");
    }
}
