//! A bound on how fast one connection is read.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Rate;

/// A bucket of bytes. It may be overdrawn by one read; then reading rests.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    credit: f64,
    at: Instant,
    rests_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, credit: rate.burst, at: Instant::now(), rests_until: None }
    }

    /// So many bytes were read.
    pub(super) fn spend(&mut self, bytes: usize) {
        let now = Instant::now();
        let gained = now.duration_since(self.at).as_secs_f64() * self.rate.per_second;
        self.at = now;
        self.credit = (self.credit + gained).min(self.rate.burst) - bytes as f64;
        if self.credit < 0.0 {
            let seconds = (-self.credit / self.rate.per_second.max(1.0)).min(3600.0);
            self.rests_until = Some(now + Duration::from_secs_f64(seconds));
        }
    }

    /// Whether reading may go on.
    pub(super) fn allows(&self) -> bool {
        self.rests_until.is_none_or(|until| until <= Instant::now())
    }

    /// Until when reading rests, if it does.
    pub(super) fn until(&self) -> Option<Instant> {
        self.rests_until.filter(|until| *until > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_then_so_much_per_second() {
        let mut pace = Pace::new(Rate { per_second: 100.0, burst: 1000.0 });
        pace.spend(1000);
        assert!(pace.allows());
        pace.spend(200);
        assert!(!pace.allows());
        tokio::time::sleep(Duration::from_millis(1990)).await;
        assert!(!pace.allows() && pace.until().is_some());
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(pace.allows() && pace.until().is_none());
    }
}
