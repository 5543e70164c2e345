//! What passed through the router, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use xylem_stanza::Kind;

/// Rising counts since the start.
#[derive(Debug, Default)]
pub struct Counters {
    from_clients: [AtomicU64; 3],
    to_clients: [AtomicU64; 3],
    errors: AtomicU64,
}

impl Counters {
    /// Stanzas of this kind that sessions sent.
    #[must_use]
    pub fn from_clients(&self, kind: Kind) -> u64 {
        read(&self.from_clients, kind)
    }

    /// Stanzas of this kind that were queued for sessions.
    #[must_use]
    pub fn to_clients(&self, kind: Kind) -> u64 {
        read(&self.to_clients, kind)
    }

    /// Error replies made by the router.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    pub(crate) fn came(&self, kind: Kind) {
        add(&self.from_clients, kind);
    }

    pub(crate) fn went(&self, kind: Kind) {
        add(&self.to_clients, kind);
    }

    /// So many at once.
    pub(crate) fn went_to(&self, kind: Kind, sessions: u64) {
        if let Some(count) = self.to_clients.get(place(kind)) {
            count.fetch_add(sessions, Ordering::Relaxed);
        }
    }

    pub(crate) fn bounced(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }
}

fn place(kind: Kind) -> usize {
    match kind {
        Kind::Message => 0,
        Kind::Presence => 1,
        Kind::Iq => 2,
    }
}

fn add(counts: &[AtomicU64; 3], kind: Kind) {
    if let Some(count) = counts.get(place(kind)) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn read(counts: &[AtomicU64; 3], kind: Kind) -> u64 {
    counts.get(place(kind)).map_or(0, |count| count.load(Ordering::Relaxed))
}
