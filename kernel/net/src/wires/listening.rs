//! Listening sockets of wires, and a wire's way from there to its label.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{Receiver, Sender};

use super::counts::{Presence, Refusal, Stage};
use super::{Framing, Shared, WireListener, parked, socks5};
use crate::admission::Permit;
use crate::listen;

/// How long until an address that cannot be had is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// A listener that is in force.
pub(super) struct Place {
    pub(super) listener: WireListener,
    /// What became of each address.
    sockets: Mutex<Vec<Result<u16, String>>>,
    closing: Sender<bool>,
}

impl Place {
    pub(super) fn is(&self, owner: &str, name: &str) -> bool {
        *self.listener.owner == *owner && *self.listener.name == *name
    }

    pub(super) fn ports(&self) -> Vec<u16> {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ports: Vec<u16> = sockets.iter().filter_map(|socket| socket.as_ref().ok().copied()).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.iter().filter_map(|socket| socket.as_ref().err().cloned()).collect()
    }

    /// Ends what listens, waits and is relayed here.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Comes to an end when this place is closed.
    pub(super) async fn closed(&self) {
        closed(self.closing.subscribe()).await;
    }

    fn note(&self, at: usize, outcome: Result<u16, String>) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = sockets.get_mut(at) {
            *socket = outcome;
        }
    }
}

async fn closed(mut closing: Receiver<bool>) {
    // Without a sender there is nobody left who could want it.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Listens on all its addresses; those that cannot be had are tried again.
pub(super) fn open(listener: WireListener, shared: &Arc<Shared>) -> Arc<Place> {
    let addresses = listener.addresses.clone();
    let sockets = Mutex::new(addresses.iter().map(|_| Err(String::new())).collect());
    let place = Arc::new(Place { listener, sockets, closing: Sender::new(false) });
    for (at, address) in addresses.into_iter().enumerate() {
        let socket = bind(&place, at, address);
        let (serving, shared) = (Arc::clone(&place), Arc::downgrade(shared));
        tokio::spawn(async move {
            tokio::select! {
                () = serving.closed() => {}
                () = serve(&serving, at, address, socket, shared) => {}
            }
        });
    }
    place
}

fn bind(place: &Place, at: usize, address: SocketAddr) -> Option<TcpListener> {
    let bound = listen::open(address).and_then(|socket| Ok((socket.local_addr()?, socket)));
    match bound {
        Ok((address, socket)) => {
            place.note(at, Ok(address.port()));
            tracing::info!(owner = %place.listener.owner, listener = %place.listener.name, %address, "listening");
            Some(socket)
        }
        Err(error) => {
            let owner = &place.listener.owner;
            place.note(at, Err(format!("{owner} cannot listen on {address}: {error}")));
            None
        }
    }
}

async fn serve(
    place: &Arc<Place>,
    at: usize,
    address: SocketAddr,
    mut socket: Option<TcpListener>,
    shared: Weak<Shared>,
) {
    if socket.is_none() {
        tracing::warn!(owner = %place.listener.owner, %address, "cannot listen; it is tried again");
    }
    let socket = loop {
        if let Some(socket) = socket {
            break socket;
        }
        tokio::time::sleep(AGAIN).await;
        socket = bind(place, at, address);
    };
    loop {
        let (tcp, peer) = listen::accept(&socket, address).await;
        let Some(shared) = shared.upgrade() else { return };
        let admitted = shared.admission.admit(peer.ip());
        let Ok(permit) = admitted.inspect_err(|denied| tracing::debug!(%peer, %denied, "wire refused")) else {
            shared.counters.refuse(Refusal::Admission);
            continue;
        };
        tokio::spawn(receive(Arc::clone(place), shared, tcp, peer, permit));
    }
}

/// From the accepted connection to the wire that waits.
async fn receive(place: Arc<Place>, shared: Arc<Shared>, mut tcp: TcpStream, peer: SocketAddr, permit: Permit) {
    let shaking = Presence::new(&shared.counters, Stage::Shaking);
    let patience = place.listener.patience;
    let Framing::Socks5 = place.listener.framing;
    let shaken = tokio::select! {
        () = place.closed() => return,
        shaken = tokio::time::timeout(patience.handshake, socks5::handshake(&mut tcp)) => shaken,
    };
    let label = match shaken.unwrap_or(Err(Refusal::Slow)) {
        Ok(label) => label,
        Err(why) => {
            tracing::debug!(%peer, why = why.name(), "wire refused");
            return shared.counters.refuse(why);
        }
    };
    let accepted = socks5::accepted(&label);
    let waits = Presence::new(&shared.counters, Stage::Waiting);
    // Waiting before it is told so: who is told may act at once.
    let parked = shared.table().park(&place, label, tcp, permit, waits);
    drop(shaking);
    let parked = match parked {
        Ok(parked) => parked,
        Err(tcp) => {
            shared.counters.refuse(Refusal::Crowded);
            // Without waiting: who does not read its answer goes without.
            let _ = tcp.try_write(&socks5::refused());
            return;
        }
    };
    // So few bytes always fit into the buffer of a new connection.
    if !parked.tcp.try_write(&accepted).is_ok_and(|written| written == accepted.len()) {
        if shared.table().remove(parked.id).is_some() {
            shared.counters.refuse(Refusal::Aborted);
        }
        return;
    }
    parked::watch(shared, parked, patience.waiting).await;
}
