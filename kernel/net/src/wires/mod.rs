//! Wires: TCP connections that carry no stream of ours. A framing preset does the
//! handshake and yields a label; the connection then waits under that label until
//! somebody relays it to another one of the same label, or its time is up.
//!
//! Nothing that a peer sends is kept before that: what it sends early stays in the
//! system's receive buffer. Every wire is counted from its acceptance to its end
//! ([`Wires::counts`]), and whatever a peer does ends in a bounded time:
//!
//! | while | bounded by |
//! |---|---|
//! | shaking hands | [`Patience::handshake`] altogether, exact reads of at most 255 bytes |
//! | waiting | [`Patience::waiting`], [`WireListener::per_label`] |
//! | relayed | [`Bounds`]: idle time, bytes, bytes per second and relays of a user |

mod budget;
mod counts;
mod lane;
mod listening;
mod parked;
mod relay;
mod socks5;
#[cfg(target_os = "linux")]
mod splice;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::admission::Admission;

pub use counts::{Refusal, WireCounts};
pub use relay::{Ended, Reason};

use budget::Budgets;
use counts::Counters;
use listening::Place;
use parked::{Parked, Table};

/// How the beginning of a connection is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// RFC 1928: no authentication, `CONNECT` to a domain name of 40 lowercase hexadecimal
    /// digits and port 0. The name is the label.
    Socks5,
}

/// A place to listen, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireListener {
    /// Whose wires they are; others cannot reach them.
    pub owner: Arc<str>,
    pub name: Arc<str>,
    pub framing: Framing,
    /// `[::]` listens on IPv4 as well; port 0 lets the system choose.
    pub addresses: Vec<SocketAddr>,
    pub patience: Patience,
    /// Wires that may wait under one label; a further one is refused.
    pub per_label: usize,
}

/// How long a wire may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For its handshake.
    pub handshake: Duration,
    /// Until it is relayed.
    pub waiting: Duration,
}

/// What a relay may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// On whose account it goes: relays and bytes per second are counted for all of theirs.
    pub user: String,
    /// Relays of this user at a time.
    pub per_user: usize,
    /// Relays of this owner at a time.
    pub total: usize,
    /// Bytes a second, both directions and all relays of the user together; 0: no bound.
    pub rate: u64,
    /// Bytes, both directions together; 0: no bound.
    pub bytes: u64,
    /// How long nothing may move.
    pub idle: Duration,
}

/// Why two wires are not relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    #[error("there is no such wire, or no longer")]
    Missing,
    #[error("the user has as many relays as allowed")]
    PerUser,
    #[error("there are as many relays as allowed")]
    Total,
}

/// All wires of the server.
#[derive(Clone)]
pub struct Wires(Arc<Shared>);

struct Shared {
    runtime: Handle,
    admission: Admission,
    counters: Arc<Counters>,
    table: Mutex<Table>,
    places: Mutex<Vec<Arc<Place>>>,
    budgets: Budgets,
}

impl Wires {
    /// Listens nowhere yet. `admission` counts these connections and no others. To be made
    /// inside a tokio runtime, which carries everything from then on.
    #[must_use]
    pub fn new(admission: Admission) -> Self {
        Self(Arc::new(Shared {
            runtime: Handle::current(),
            admission,
            counters: Arc::default(),
            table: Mutex::default(),
            places: Mutex::default(),
            budgets: Budgets::default(),
        }))
    }

    /// Listens where these say and nowhere else. One that has not changed stays as it
    /// is; one that is gone or changed ends with its wires. An address that cannot be
    /// had is tried again and again ([`Wires::problems`]).
    pub fn listen(&self, wanted: Vec<WireListener>) {
        let _inside = self.0.runtime.enter();
        let mut places = self.places();
        let (kept, gone) = std::mem::take(&mut *places).into_iter().partition(|place| wanted.contains(&place.listener));
        *places = kept;
        for place in gone {
            place.close();
        }
        for listener in wanted {
            if !places.iter().any(|place| place.listener == listener) {
                places.push(listening::open(listener, &self.0));
            }
        }
    }

    /// Ends all wires and listens no more.
    pub fn shut_down(&self) {
        self.listen(Vec::new());
    }

    /// The ports that this listener has.
    #[must_use]
    pub fn ports(&self, owner: &str, name: &str) -> Vec<u16> {
        let places = self.places();
        let place = places.iter().find(|place| place.is(owner, name));
        place.map_or_else(Vec::new, |place| place.ports())
    }

    /// Wires that wait under a label, in the order in which they came.
    #[must_use]
    pub fn waiting(&self, owner: &str, name: &str, label: &str) -> Vec<u64> {
        self.0.table().waiting(owner, name, label)
    }

    /// Takes two waiting wires for a relay, which [`Pair::start`] begins. A pair that is
    /// dropped instead leaves them waiting as they were.
    ///
    /// # Errors
    /// Nothing was taken.
    pub fn claim(&self, owner: &str, one: u64, other: u64, bounds: Bounds) -> Result<Pair, ClaimError> {
        let slot = self.0.budgets.enter(owner, &bounds)?;
        let (one, other) = self.0.table().claim(owner, one, other).ok_or(ClaimError::Missing)?;
        Ok(Pair { shared: Arc::clone(&self.0), wires: Some((one, other)), slot: Some(slot), bounds })
    }

    /// Ends a wire that waits; false if there is none of this number.
    #[must_use]
    pub fn close(&self, owner: &str, wire: u64) -> bool {
        let parked = self.0.table().remove_of(owner, wire);
        parked.is_some_and(|parked| {
            parked.release();
            true
        })
    }

    /// What was counted since the start, and what is open.
    #[must_use]
    pub fn counts(&self) -> WireCounts {
        self.0.counters.read()
    }

    /// Changes the bounds on connections.
    pub fn set_limits(&self, limits: crate::admission::AdmissionLimits) {
        self.0.admission.set_limits(limits);
    }

    /// Addresses that cannot be had, for people.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.places().iter().flat_map(|place| place.problems()).collect()
    }

    fn places(&self) -> MutexGuard<'_, Vec<Arc<Place>>> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Wires {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wires").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two wires taken for a relay.
pub struct Pair {
    shared: Arc<Shared>,
    wires: Option<(Arc<Parked>, Arc<Parked>)>,
    slot: Option<budget::Slot>,
    bounds: Bounds,
}

impl Pair {
    /// The name of their listener.
    #[must_use]
    pub fn listener(&self) -> Arc<str> {
        let place = self.wires.as_ref().map(|(one, _)| Arc::clone(&one.place.listener.name));
        place.unwrap_or_default()
    }

    /// Relays between them what is sent from now on until it is over, in a task of its own; `ended` is
    /// then told.
    pub fn start(mut self, ended: impl FnOnce(Ended) + Send + 'static) {
        let (Some((one, other)), Some(slot)) = (self.wires.take(), self.slot.take()) else { return };
        {
            let mut table = self.shared.table();
            table.remove(one.id);
            table.remove(other.id);
        }
        // Before anybody is told that the relay is there.
        one.discard();
        other.discard();
        let counters = Arc::clone(&self.shared.counters);
        let bounds = self.bounds.clone();
        let runtime = self.shared.runtime.clone();
        runtime.spawn(async move {
            let told = relay::run(&one, &other, &bounds, &slot, &counters).await;
            // What the relay held is free before anybody hears of its end.
            drop((one, other, slot));
            ended(told);
        });
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        if let Some((one, other)) = self.wires.take() {
            self.shared.table().unclaim(one.id, other.id);
        }
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}
