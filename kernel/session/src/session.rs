//! One bound resource.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use xylem_stanza::{FullJid, Stanza};

use crate::locks::Mutex;
use crate::management::Management;
use crate::queue::{Queue, QueueLimits};
use crate::tags::Tag;

/// Where a session comes from and how it is protected.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The client's address (the one a trusted proxy named, if there is one).
    pub peer: SocketAddr,
    /// `None` on a stream without TLS.
    pub tls: Option<Security>,
    /// The SASL mechanism, such as `SCRAM-SHA-256-PLUS`.
    pub mechanism: &'static str,
    /// The account is made up and ends with the session (RFC 4505).
    pub anonymous: bool,
}

/// What TLS agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Security {
    /// `TLSv1.2` or `TLSv1.3`.
    pub protocol: &'static str,
    /// The IANA name of the cipher suite.
    pub cipher: &'static str,
}

/// A bound resource: its address, its last presence, its queue.
///
/// It is reached through `Arc`; everything that changes is atomic or behind a
/// private lock that is held for a few instructions.
#[derive(Debug)]
pub struct Session {
    jid: FullJid,
    id: u64,
    connected_at: SystemTime,
    endpoint: Endpoint,
    /// Bit 8: available; bits 0–7: the priority's two's complement.
    state: AtomicU16,
    tags: AtomicU64,
    retired: AtomicBool,
    /// See [`Session::lacks`].
    bare: AtomicU64,
    with_login: AtomicBool,
    presence: Mutex<Option<Stanza>>,
    counters: Counters,
    queue: Queue,
    /// One pointer for those without.
    management: OnceLock<Box<Management>>,
}

/// Whether a session is available, and how much it wants messages (RFC 6121 §4.7.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Presence {
    /// An initial presence was sent and no unavailable one since.
    pub available: bool,
    /// -128 to 127, 0 unless told; below 0 means no messages to the bare address.
    pub priority: i8,
}

const AVAILABLE: u16 = 1 << 8;
/// What counts of a version.
const VERSION: u64 = u64::MAX >> 8;

impl Session {
    pub(crate) fn new(jid: FullJid, id: u64, endpoint: Endpoint, limits: QueueLimits) -> Self {
        Self {
            jid,
            id,
            connected_at: SystemTime::now(),
            endpoint,
            state: AtomicU16::new(0),
            tags: AtomicU64::new(0),
            retired: AtomicBool::new(false),
            bare: AtomicU64::new(0),
            with_login: AtomicBool::new(false),
            presence: Mutex::new(None),
            counters: Counters::default(),
            queue: Queue::new(limits),
            management: OnceLock::new(),
        }
    }

    /// The full address.
    #[must_use]
    pub fn jid(&self) -> &FullJid {
        &self.jid
    }

    /// Unique within this process, rising in the order of binding.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// When the resource was bound.
    #[must_use]
    pub fn connected_at(&self) -> SystemTime {
        self.connected_at
    }

    /// Where it comes from; if it was resumed, from where that was.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.management().and_then(Management::endpoint).unwrap_or(self.endpoint)
    }

    /// Stream management, if the client enabled it (XEP-0198).
    #[must_use]
    pub fn management(&self) -> Option<&Management> {
        self.management.get().map(|management| &**management)
    }

    /// The client enables stream management. Does nothing if it did before.
    pub fn manage(&self, id: String, resume: Option<Duration>) {
        self.management.get_or_init(|| Box::new(Management::new(id, resume)));
    }

    /// For whoever made it: notes whether the client asked for it along with its login (XEP-0386).
    pub fn note_login(&self, with_login: bool) {
        self.with_login.store(with_login, Ordering::Relaxed);
    }

    /// Whether it was bound along with the login.
    #[must_use]
    pub fn is_with_login(&self) -> bool {
        self.with_login.load(Ordering::Relaxed)
    }

    /// Whether its client is away and may come back to it.
    #[must_use]
    pub fn is_hibernated(&self) -> bool {
        self.management().is_some_and(Management::is_hibernated)
    }

    /// For whoever has the session: notes how many stanzas are not acknowledged.
    pub fn note_unacknowledged(&self, stanzas: usize) {
        if let Some(management) = self.management() {
            management.unacknowledged.store(stanzas, Ordering::Relaxed);
        }
    }

    /// What waits to be written to it.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// What passed so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Availability and priority, read together without a lock.
    #[must_use]
    pub fn presence(&self) -> Presence {
        let state = self.state.load(Ordering::Acquire);
        let [_, priority] = state.to_be_bytes();
        Presence { available: state & AVAILABLE != 0, priority: i8::from_be_bytes([priority]) }
    }

    /// Whether it sent an available presence and no unavailable one since.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.presence().available
    }

    /// Remembers the last broadcast presence; returns what was before.
    pub fn set_available(&self, stanza: Stanza, priority: i8) -> Presence {
        self.swap(AVAILABLE | u16::from(priority.to_be_bytes()[0]), Some(stanza))
    }

    /// Forgets the presence; returns what was before.
    pub fn set_unavailable(&self) -> Presence {
        self.swap(0, None)
    }

    /// The last broadcast presence (cheap: shared bytes).
    #[must_use]
    pub fn last_presence(&self) -> Option<Stanza> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a plugin set this mark.
    #[must_use]
    pub fn has(&self, tag: Tag) -> bool {
        self.tags.load(Ordering::Relaxed) & tag.bit() != 0
    }

    /// Sets or clears a mark; true if that changed something.
    pub fn mark(&self, tag: Tag, on: bool) -> bool {
        let before = if on {
            self.tags.fetch_or(tag.bit(), Ordering::Relaxed)
        } else {
            self.tags.fetch_and(!tag.bit(), Ordering::Relaxed)
        };
        (before & tag.bit() != 0) != on
    }

    /// Whether the account was found to have no rows in any of these stores, a bit for each, when all stores
    /// that filters look at had the version `at` (56 bits of it count).
    #[must_use]
    pub fn lacks(&self, at: u64, stores: u8) -> bool {
        let known = self.bare.load(Ordering::Relaxed);
        known >> 8 == at & VERSION && known & u64::from(stores) == u64::from(stores)
    }

    /// Remembers that. `at` was read before the rows were, and is not 0.
    pub fn found_lacking(&self, at: u64, stores: u8) {
        let known = self.bare.load(Ordering::Relaxed);
        let others = if known >> 8 == at & VERSION { known & 0xFF } else { 0 };
        // Of two that do this at once one is forgotten, and found again.
        self.bare.store((at & VERSION) << 8 | others | u64::from(stores), Ordering::Relaxed);
    }

    /// Claims the right to tell others that this session is over: true exactly
    /// once. A session that is replaced is told over before its successor
    /// speaks; its own task then finds that this was done.
    pub fn retire(&self) -> bool {
        !self.retired.swap(true, Ordering::AcqRel)
    }

    fn swap(&self, state: u16, stanza: Option<Stanza>) -> Presence {
        let mut presence = self.presence.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.presence();
        let old = std::mem::replace(&mut *presence, stanza);
        self.state.store(state, Ordering::Release);
        drop(presence);
        drop(old);
        before
    }
}

/// What passed through one session. Only its own task counts, so no add is atomic.
#[derive(Debug, Default)]
pub struct Counters {
    stanzas_in: AtomicU64,
    stanzas_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Counters {
    /// For the session's task: so much was read.
    pub fn read(&self, stanzas: u64, bytes: u64) {
        add(&self.stanzas_in, stanzas);
        add(&self.bytes_in, bytes);
    }

    /// For the session's task: so much was written.
    pub fn wrote(&self, stanzas: u64, bytes: u64) {
        add(&self.stanzas_out, stanzas);
        add(&self.bytes_out, bytes);
    }

    /// Stanzas read from the client.
    pub fn stanzas_in(&self) -> u64 {
        self.stanzas_in.load(Ordering::Relaxed)
    }

    /// Stanzas written to the client.
    pub fn stanzas_out(&self) -> u64 {
        self.stanzas_out.load(Ordering::Relaxed)
    }

    /// Bytes of XML read from the client.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in.load(Ordering::Relaxed)
    }

    /// Bytes of XML written to the client.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed)
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}
