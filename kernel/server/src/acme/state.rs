//! What is known of each domain's certificate by ACME: when it is renewed, what went wrong, how long to wait then.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Waited after the first failure; twice as long after each further one. Public authorities take five failures
/// an hour.
const FIRST: Duration = Duration::from_secs(15 * 60);
/// Waited at most.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// Between one order that was done and the next, however much the authority wants it.
const BETWEEN: Duration = Duration::from_secs(3600);

/// How it stands with one certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// When it will be replaced.
    pub renews: Option<SystemTime>,
    /// When an order failed last, if none has succeeded since.
    pub tried: Option<SystemTime>,
    /// Why.
    pub error: Option<String>,
    /// Whether an order is under way.
    pub ordering: bool,
    failures: u32,
    /// When one was done last.
    done: Option<SystemTime>,
}

/// Those of all domains.
#[derive(Default)]
pub(super) struct States(Mutex<BTreeMap<String, State>>);

/// An order; it is over when this is dropped, also if nobody waits for it any more.
pub(super) struct UnderWay<'a> {
    states: &'a States,
    domain: String,
}

impl States {
    pub(super) fn get(&self, domain: &str) -> State {
        self.lock().get(domain).cloned().unwrap_or_default()
    }

    pub(super) fn renews(&self, domain: &str, at: SystemTime) {
        self.lock().entry(domain.to_owned()).or_default().renews = Some(at);
    }

    /// When it may be tried again; in the past unless something went wrong.
    pub(super) fn next_try(&self, domain: &str) -> SystemTime {
        let state = self.get(domain);
        let failed = state.tried.map(|tried| tried + wait(state.failures));
        let done = state.done.map(|done| done + BETWEEN);
        failed.into_iter().chain(done).max().unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Whatever went wrong may be tried at once.
    pub(super) fn forgive(&self) {
        for state in self.lock().values_mut() {
            (state.tried, state.failures, state.done) = (None, 0, None);
        }
    }

    pub(super) fn begin(&self, domain: &str) -> UnderWay<'_> {
        self.lock().entry(domain.to_owned()).or_default().ordering = true;
        UnderWay { states: self, domain: domain.to_owned() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay<'_> {
    pub(super) fn done(self) {
        self.states.lock().insert(self.domain.clone(), State { done: Some(SystemTime::now()), ..State::default() });
    }

    /// How long is waited then.
    pub(super) fn failed(self, error: &str) -> Duration {
        let mut states = self.states.lock();
        let state = states.entry(self.domain.clone()).or_default();
        state.failures = state.failures.saturating_add(1);
        (state.tried, state.error) = (Some(SystemTime::now()), Some(error.to_owned()));
        let wait = wait(state.failures);
        drop(states);
        wait
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(state) = self.states.lock().get_mut(&self.domain) {
            state.ordering = false;
        }
    }
}

fn wait(failures: u32) -> Duration {
    let doubled = failures.checked_sub(1).map(|more| 1_u32.checked_shl(more).unwrap_or(u32::MAX));
    doubled.map_or(Duration::ZERO, |times| FIRST.saturating_mul(times).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_waited_for_longer_and_longer() {
        let states = States::default();
        assert!(states.next_try("a") < SystemTime::now());
        let waits: Vec<_> = (0..9).map(|_| states.begin("a").failed("no").as_secs() / 60).collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 720, 720, 720]);
        assert!(states.next_try("a") > SystemTime::now() + Duration::from_secs(11 * 3600));
        let state = states.get("a");
        assert_eq!((state.error.as_deref(), state.ordering), (Some("no"), false));
        states.forgive();
        assert!(states.next_try("a") < SystemTime::now());
        assert_eq!(states.get("a").error.as_deref(), Some("no"), "it is still what is wrong");
        states.begin("a").done();
        assert_eq!((states.get("a").error, states.get("a").tried), (None, None));
        assert!(states.next_try("a") > SystemTime::now() + BETWEEN / 2, "no authority makes it order all the time");
        assert_eq!(wait(u32::MAX), LONGEST);
    }

    #[test]
    fn an_order_that_is_given_up_is_over() {
        let states = States::default();
        let order = states.begin("a");
        assert!(states.get("a").ordering);
        drop(order);
        assert!(!states.get("a").ordering);
    }
}
