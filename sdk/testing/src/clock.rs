//! A clock that stands still until a test moves it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use xylem_host::Clock;

/// 2026-01-01T00:00:00Z, when every test begins.
const BEGINNING: u64 = 1_767_225_600_000;

#[derive(Clone)]
pub(crate) struct HandClock(Arc<Hands>);

struct Hands {
    now: watch::Sender<u64>,
    /// What is waited for, by number of the wait.
    awaited: Mutex<(u64, BTreeMap<u64, u64>)>,
}

impl HandClock {
    pub(crate) fn new() -> Self {
        Self::at(BEGINNING)
    }

    /// Another clock that nobody looks at yet.
    pub(crate) fn at(now: u64) -> Self {
        Self(Arc::new(Hands { now: watch::Sender::new(now), awaited: Mutex::default() }))
    }

    pub(crate) fn set(&self, ms: u64) {
        self.0.now.send_replace(ms);
    }

    /// The first moment that somebody waits for.
    pub(crate) fn next(&self) -> Option<u64> {
        self.0.awaited().1.values().min().copied()
    }
}

impl Clock for HandClock {
    fn now_ms(&self) -> u64 {
        *self.0.now.borrow()
    }

    fn sleep_until(&self, ms: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let waiting = Waiting::until(ms, &self.0);
        let mut now = self.0.now.subscribe();
        Box::pin(async move {
            let _ = now.wait_for(|now| *now >= ms).await;
            drop(waiting);
        })
    }
}

impl Hands {
    fn awaited(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, u64>)> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waiting {
    number: u64,
    hands: Arc<Hands>,
}

impl Waiting {
    fn until(ms: u64, hands: &Arc<Hands>) -> Self {
        let mut awaited = hands.awaited();
        awaited.0 += 1;
        let number = awaited.0;
        awaited.1.insert(number, ms);
        drop(awaited);
        Self { number, hands: Arc::clone(hands) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.hands.awaited().1.remove(&self.number);
    }
}
