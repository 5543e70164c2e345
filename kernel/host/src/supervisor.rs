//! What becomes of a plugin that faults.
//!
//! One fault costs one call. Three within a minute from more than one key: the
//! plugin is left alone for a while, each time longer, and in the end disabled. If
//! they all come from one key, only that key is left alone. After a call that ran
//! out of CPU time, calls run off the runtime's threads until a minute was good.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;

/// Faults within [`WINDOW`] that are too many.
const TOO_MANY: usize = 3;
const WINDOW: u64 = 60_000;
/// How long a plugin is left alone: first, second, ... time. Then it is disabled.
const BACKOFF: [u64; 5] = [1_000, 5_000, 30_000, 120_000, 600_000];
/// The same for one key; its last length is for ever after.
const QUARANTINE: [u64; 4] = [10_000, 60_000, 600_000, 3_600_000];
/// After this long without a fault the lengths begin again.
const FORGIVEN: u64 = 900_000;
/// Most keys remembered.
const KEYS: usize = 10_000;

/// How a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// On the caller's thread.
    Inline,
    /// On a thread that may block.
    Aside,
    /// Not now.
    Closed,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Over the CPU or wall deadline.
    Deadline,
    /// Over the memory limit.
    Memory,
    /// Anything else that trapped.
    Crash(String),
    /// `start` refused.
    Start(String),
    /// Its rows cannot be read; not the plugin's fault.
    Storage(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Deadline => f.write_str("out of time"),
            Self::Memory => f.write_str("out of memory"),
            Self::Crash(how) => write!(f, "crashed: {how}"),
            Self::Start(why) => write!(f, "does not start: {why}"),
            Self::Storage(why) => write!(f, "storage: {why}"),
        }
    }
}

const HEALTHY: u8 = 0;
const WATCHED: u8 = 1;
const DISABLED: u8 = 2;

/// The health of one plugin.
#[derive(Default)]
pub(crate) struct Supervisor {
    /// [`HEALTHY`], or something to look at behind the lock.
    state: AtomicU8,
    suspect_until: AtomicU64,
    closed_until: AtomicU64,
    /// Keys in quarantine, so that nobody looks for one in vain.
    quarantined: AtomicUsize,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    recent: VecDeque<(u64, Arc<str>)>,
    backoffs: usize,
    last: Option<(u64, String)>,
    keys: HashMap<Arc<str>, Key>,
}

#[derive(Default)]
struct Key {
    until: u64,
    times: usize,
}

/// For people.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    pub(crate) disabled: bool,
    pub(crate) closed_until: Option<u64>,
    pub(crate) quarantined: Vec<String>,
    pub(crate) last: Option<(u64, String)>,
}

impl Supervisor {
    /// Whether and how a call for this key is made.
    pub(crate) fn gate(&self, key: &str, now: impl FnOnce() -> u64) -> Gate {
        match self.state.load(Ordering::Acquire) {
            HEALTHY => Gate::Inline,
            DISABLED => Gate::Closed,
            _ => self.look(key, now()),
        }
    }

    fn look(&self, key: &str, now: u64) -> Gate {
        if now < self.closed_until.load(Ordering::Acquire) {
            return Gate::Closed;
        }
        if self.quarantined.load(Ordering::Acquire) > 0 {
            let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
            if record.keys.get(key).is_some_and(|key| now < key.until) {
                return Gate::Closed;
            }
        }
        if now < self.suspect_until.load(Ordering::Acquire) { Gate::Aside } else { Gate::Inline }
    }

    /// Judges a fault; says what follows, for the log.
    pub(crate) fn fault(&self, key: &Arc<str>, fault: &Fault, now: u64) -> &'static str {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.last.as_ref().is_some_and(|(at, _)| now.saturating_sub(*at) > FORGIVEN) {
            record.backoffs = 0;
            record.keys.clear();
        }
        record.last = Some((now, fault.to_string()));
        record.recent.retain(|(at, _)| now.saturating_sub(*at) < WINDOW);
        record.recent.push_back((now, Arc::clone(key)));
        let _ = self.state.compare_exchange(HEALTHY, WATCHED, Ordering::AcqRel, Ordering::Acquire);
        if *fault == Fault::Deadline {
            self.suspect_until.store(now + WINDOW, Ordering::Release);
        }
        if record.recent.len() < TOO_MANY {
            return "the call is undone";
        }
        let alone = record.recent.iter().all(|(_, other)| other == key) && !key.is_empty();
        record.recent.clear();
        if alone {
            return self.quarantine(&mut record, key, now);
        }
        let length = BACKOFF.get(record.backoffs).copied();
        record.backoffs += 1;
        match length {
            Some(length) => {
                self.closed_until.store(now + length, Ordering::Release);
                "the plugin is left alone for a while"
            }
            None => {
                self.state.store(DISABLED, Ordering::Release);
                "the plugin is disabled; enable it again when it is repaired"
            }
        }
    }

    fn quarantine(&self, record: &mut Record, key: &Arc<str>, now: u64) -> &'static str {
        if record.keys.len() >= KEYS {
            record.keys.retain(|_, key| now < key.until);
        }
        let known = record.keys.entry(Arc::clone(key)).or_default();
        let last = QUARANTINE.last().copied().unwrap_or(WINDOW);
        known.until = now + QUARANTINE.get(known.times).copied().unwrap_or(last);
        known.times += 1;
        self.quarantined.store(record.keys.len(), Ordering::Release);
        "calls for this key are left out for a while"
    }

    /// An administrator trusts it again.
    pub(crate) fn revive(&self) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        *record = Record { last: record.last.take(), ..Record::default() };
        self.closed_until.store(0, Ordering::Release);
        self.suspect_until.store(0, Ordering::Release);
        self.quarantined.store(0, Ordering::Release);
        self.state.store(HEALTHY, Ordering::Release);
    }

    pub(crate) fn health(&self, now: u64) -> Health {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let closed_until = self.closed_until.load(Ordering::Acquire);
        Health {
            disabled: self.state.load(Ordering::Acquire) == DISABLED,
            closed_until: (now < closed_until).then_some(closed_until),
            quarantined: record
                .keys
                .iter()
                .filter(|(_, key)| now < key.until)
                .map(|(key, _)| key.to_string())
                .collect(),
            last: record.last.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crash() -> Fault {
        Fault::Crash("x".to_owned())
    }

    #[test]
    fn faults_of_many_keys_back_off_and_finally_disable() {
        let supervisor = Supervisor::default();
        let mut now = 1_000_000;
        for (n, length) in BACKOFF.iter().enumerate() {
            for key in ["a", "b", "c"] {
                assert_eq!(supervisor.gate(key, || now), Gate::Inline, "round {n}");
                supervisor.fault(&key.into(), &crash(), now);
            }
            assert_eq!(supervisor.gate("d", || now + length - 1), Gate::Closed);
            assert_eq!(supervisor.gate("d", || now + length), Gate::Inline);
            now += length;
        }
        for key in ["a", "b", "c"] {
            supervisor.fault(&key.into(), &crash(), now);
        }
        assert_eq!(supervisor.gate("d", || now + FORGIVEN * 10), Gate::Closed);
        assert!(supervisor.health(now).disabled);
        supervisor.revive();
        assert_eq!(supervisor.gate("a", || now), Gate::Inline);
    }

    #[test]
    fn one_bad_key_is_left_out_alone() {
        let supervisor = Supervisor::default();
        for _ in 0..TOO_MANY {
            assert_eq!(supervisor.gate("bad", || 5), Gate::Inline);
            supervisor.fault(&"bad".into(), &crash(), 5);
        }
        assert_eq!(supervisor.gate("bad", || 6), Gate::Closed);
        assert_eq!(supervisor.gate("good", || 6), Gate::Inline);
        assert_eq!(supervisor.health(6).quarantined, ["bad"]);
        assert_eq!(supervisor.gate("bad", || 5 + QUARANTINE[0]), Gate::Inline);
    }

    #[test]
    fn few_faults_far_apart_are_no_pattern_and_slow_ones_go_aside() {
        let supervisor = Supervisor::default();
        for n in 0..10 {
            supervisor.fault(&"a".into(), &crash(), n * WINDOW);
            assert_eq!(supervisor.gate("a", || n * WINDOW), Gate::Inline);
        }
        supervisor.fault(&"a".into(), &Fault::Deadline, 20 * WINDOW);
        assert_eq!(supervisor.gate("b", || 20 * WINDOW + 1), Gate::Aside);
        assert_eq!(supervisor.gate("b", || 21 * WINDOW), Gate::Inline);
    }
}
