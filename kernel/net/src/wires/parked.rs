//! Wires that wait under their label.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::Shared;
use super::counts::{Presence, Refusal};
use super::listening::Place;
use crate::admission::Permit;

/// Bytes that are forgotten at most; more do not fit into a socket's buffer as systems come.
const EARLY: usize = 8 << 20;

/// A wire whose handshake is done.
pub(super) struct Parked {
    pub(super) id: u64,
    pub(super) place: Arc<Place>,
    label: String,
    pub(super) tcp: TcpStream,
    /// Told when it waits no longer, whatever became of it.
    released: Notify,
    _permit: Permit,
}

/// All that wait, by number and by label.
#[derive(Default)]
pub(super) struct Table {
    serial: u64,
    wires: HashMap<u64, Entry>,
    labels: HashMap<Label, Vec<u64>>,
}

/// Owner, listener, label.
type Label = (Arc<str>, Arc<str>, String);

struct Entry {
    parked: Arc<Parked>,
    /// Counts it as waiting.
    _waits: Presence,
    claimed: bool,
}

impl Table {
    /// Lets a wire wait; gives its connection back when the label has its wires already.
    pub(super) fn park(
        &mut self,
        place: &Arc<Place>,
        label: String,
        tcp: TcpStream,
        permit: Permit,
        waits: Presence,
    ) -> Result<Arc<Parked>, TcpStream> {
        let key = key(place, &label);
        let wires = self.labels.entry(key).or_default();
        if wires.len() >= place.listener.per_label {
            return Err(tcp);
        }
        self.serial += 1;
        wires.push(self.serial);
        let released = Notify::new();
        let place = Arc::clone(place);
        let parked = Arc::new(Parked { id: self.serial, place, label, tcp, released, _permit: permit });
        self.wires.insert(self.serial, Entry { parked: Arc::clone(&parked), _waits: waits, claimed: false });
        Ok(parked)
    }

    pub(super) fn waiting(&self, owner: &str, name: &str, label: &str) -> Vec<u64> {
        let Some(wires) = self.labels.get(&(owner.into(), name.into(), label.to_owned())) else { return Vec::new() };
        let free = |wire: &&u64| self.wires.get(wire).is_some_and(|entry| !entry.claimed);
        wires.iter().filter(free).copied().collect()
    }

    /// Marks two wires of one listener and label as taken.
    pub(super) fn claim(&mut self, owner: &str, one: u64, other: u64) -> Option<(Arc<Parked>, Arc<Parked>)> {
        let free = |wire: u64| {
            let entry = self.wires.get(&wire).filter(|entry| !entry.claimed)?;
            (*entry.parked.place.listener.owner == *owner).then(|| Arc::clone(&entry.parked))
        };
        let (first, second) = (free(one)?, free(other)?);
        if one == other || first.label != second.label || !Arc::ptr_eq(&first.place, &second.place) {
            return None;
        }
        for wire in [one, other] {
            if let Some(entry) = self.wires.get_mut(&wire) {
                entry.claimed = true;
            }
        }
        Some((first, second))
    }

    pub(super) fn unclaim(&mut self, one: u64, other: u64) {
        for wire in [one, other] {
            if let Some(entry) = self.wires.get_mut(&wire) {
                entry.claimed = false;
            }
        }
    }

    /// Takes a wire out; `None` if it was out already.
    pub(super) fn remove(&mut self, wire: u64) -> Option<Arc<Parked>> {
        let parked = self.wires.remove(&wire)?.parked;
        let key = key(&parked.place, &parked.label);
        if let Some(wires) = self.labels.get_mut(&key) {
            wires.retain(|known| *known != wire);
            if wires.is_empty() {
                self.labels.remove(&key);
            }
        }
        parked.release();
        Some(parked)
    }

    /// The same, if it is this owner's and not taken for a relay.
    pub(super) fn remove_of(&mut self, owner: &str, wire: u64) -> Option<Arc<Parked>> {
        let entry = self.wires.get(&wire).filter(|entry| !entry.claimed)?;
        if *entry.parked.place.listener.owner != *owner {
            return None;
        }
        self.remove(wire)
    }
}

fn key(place: &Place, label: &str) -> Label {
    (Arc::clone(&place.listener.owner), Arc::clone(&place.listener.name), label.to_owned())
}

impl Parked {
    /// Ends its [`watch`].
    pub(super) fn release(&self) {
        self.released.notify_one();
    }

    /// Takes what the peer has sent so far and forgets it (XEP-0065 §10.1): nobody was there for it.
    pub(super) fn discard(&self) {
        let socket = SockRef::from(&self.tcp);
        let mut socket: &socket2::Socket = &socket;
        let mut scratch = [0; 4096];
        // A peer that never stops does not hold the caller up.
        for _ in 0..EARLY / scratch.len() {
            match socket.read(&mut scratch) {
                Ok(taken) if taken > 0 => {}
                _ => return,
            }
        }
    }

    /// Comes to an end when the peer has closed its side without having sent anything. Whoever
    /// has sent something may have closed as well; that shows when the relay begins.
    async fn gone(&self) {
        match self.tcp.peek(&mut [0]).await {
            Ok(0) | Err(_) => {}
            Ok(_) => std::future::pending().await,
        }
    }
}

/// Looks after a wire while it waits.
pub(super) async fn watch(shared: Arc<Shared>, parked: Arc<Parked>, patience: Duration) {
    let why = tokio::select! {
        () = parked.released.notified() => return,
        () = parked.place.closed() => Refusal::Expired,
        () = tokio::time::sleep(patience) => Refusal::Expired,
        () = parked.gone() => Refusal::Gone,
    };
    if shared.table().remove(parked.id).is_some() {
        shared.counters.refuse(why);
    }
}
