//! What is open, and what has been.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a wire was turned away or given up before it was relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Too many connections, altogether or from its address.
    Admission,
    /// Did not finish its handshake in time.
    Slow,
    /// Broke off before the end of its handshake.
    Aborted,
    /// Speaks something else.
    Garbage,
    /// Offers no method of authentication that is spoken here.
    Method,
    /// Wants something else than to connect to a label.
    Request,
    /// The label has its wires already.
    Crowded,
    /// Went away while it waited.
    Gone,
    /// Waited too long.
    Expired,
}

impl Refusal {
    /// All of them, in the order of a wire's life.
    pub const ALL: [Self; 9] = [
        Self::Admission,
        Self::Slow,
        Self::Aborted,
        Self::Garbage,
        Self::Method,
        Self::Request,
        Self::Crowded,
        Self::Gone,
        Self::Expired,
    ];

    /// A word for metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Slow => "slow",
            Self::Aborted => "aborted",
            Self::Garbage => "garbage",
            Self::Method => "method",
            Self::Request => "request",
            Self::Crowded => "crowded",
            Self::Gone => "gone",
            Self::Expired => "expired",
        }
    }
}

/// A reading of all counters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WireCounts {
    /// Open now: shaking hands, waiting, being relayed.
    pub shaking: u64,
    pub waiting: u64,
    pub relayed: u64,
    /// Relays begun since the start.
    pub relays: u64,
    /// Bytes relayed since the start.
    pub bytes: u64,
    /// Wires refused since the start, in the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    shaking: AtomicU64,
    waiting: AtomicU64,
    relayed: AtomicU64,
    relays: AtomicU64,
    bytes: AtomicU64,
    refused: [AtomicU64; Refusal::ALL.len()],
}

/// Where in its life a wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Shaking,
    Waiting,
    Relayed,
}

impl Counters {
    pub(super) fn refuse(&self, why: Refusal) {
        if let Some(counter) = self.refused.get(why as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn relay(&self) {
        self.relays.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn moved(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> WireCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WireCounts {
            shaking: read(&self.shaking),
            waiting: read(&self.waiting),
            relayed: read(&self.relayed),
            relays: read(&self.relays),
            bytes: read(&self.bytes),
            refused: std::array::from_fn(|at| self.refused.get(at).map_or(0, read)),
        }
    }

    fn at(&self, stage: Stage) -> &AtomicU64 {
        match stage {
            Stage::Shaking => &self.shaking,
            Stage::Waiting => &self.waiting,
            Stage::Relayed => &self.relayed,
        }
    }
}

/// Counts one wire in one stage until it is dropped.
#[derive(Debug)]
pub(super) struct Presence {
    counters: Arc<Counters>,
    stage: Stage,
}

impl Presence {
    pub(super) fn new(counters: &Arc<Counters>, stage: Stage) -> Self {
        counters.at(stage).fetch_add(1, Ordering::Relaxed);
        Self { counters: Arc::clone(counters), stage }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.counters.at(self.stage).fetch_sub(1, Ordering::Relaxed);
    }
}
