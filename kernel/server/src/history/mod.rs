//! How the server did in the last hour: a sample every five seconds.

mod measure;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use xylem_ops::overview::Sample;

use crate::instance::Instance;
pub use measure::{Totals, measure};

/// From one sample to the next.
pub const EVERY: Duration = Duration::from_secs(5);
/// Samples kept: an hour of them.
const KEPT: usize = 720;

/// The samples of the last hour.
#[derive(Default)]
pub struct History(Mutex<VecDeque<Sample>>);

impl History {
    /// Those after a time in milliseconds since 1970 UTC, oldest first.
    pub fn since(&self, at: u64) -> Vec<Sample> {
        self.lock().iter().filter(|sample| sample.at > at).cloned().collect()
    }

    pub fn latest(&self) -> Option<Sample> {
        self.lock().back().cloned()
    }

    fn keep(&self, sample: Sample) {
        let mut samples = self.lock();
        if samples.len() == KEPT {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Measures until it is dropped.
pub async fn record(instance: Arc<Instance>) {
    let mut ticks = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Totals::of(&instance);
    loop {
        ticks.tick().await;
        let (sample, totals) = measure(&instance, &before).await;
        before = totals;
        instance.history.keep(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let history = History::default();
        for at in 1..=1000 {
            history.keep(Sample { at, ..Sample::default() });
        }
        assert_eq!(history.since(0).len(), KEPT);
        assert_eq!(history.since(998).iter().map(|sample| sample.at).collect::<Vec<_>>(), [999, 1000]);
        assert_eq!(history.latest().map(|sample| sample.at), Some(1000));
    }
}
