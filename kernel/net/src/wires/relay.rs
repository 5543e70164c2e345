//! Between two wires, in both directions, until it is over.

use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::Bounds;
use super::budget::Slot;
use super::counts::{Counters, Presence, Stage};
use super::lane::Lane;
use super::parked::Parked;

/// After so many bytes of one direction others have their turn on the thread.
const TURN: usize = 1 << 20;

/// Why a relay is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Both sides have sent all they had.
    Closed,
    /// One side broke off.
    Broken,
    /// Nothing moved for [`Bounds::idle`].
    Idle,
    /// More than [`Bounds::bytes`].
    TooMuch,
    /// The listener is no more: its plugin is off or set otherwise, or the server stops.
    Stopped,
}

/// How a relay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    pub reason: Reason,
    /// Bytes from the first wire to the second, and back.
    pub forth: u64,
    pub back: u64,
    pub lasted: Duration,
}

/// Relays until both directions are done, or a bound is reached.
pub(super) async fn run(one: &Parked, other: &Parked, bounds: &Bounds, slot: &Slot, counters: &Arc<Counters>) -> Ended {
    let _counted = [(); 2].map(|()| Presence::new(counters, Stage::Relayed));
    counters.relay();
    let begun = Instant::now();
    let tally = Tally::new(counters);
    let meter = Meter { bounds, slot, tally: &tally };
    let reason = tokio::select! {
        biased;
        () = one.place.closed() => Reason::Stopped,
        reason = both(&one.tcp, &other.tcp, &meter) => reason,
        () = tally.idle(bounds.idle) => Reason::Idle,
    };
    if reason != Reason::Closed {
        // So that nobody takes what it got for the whole.
        for wire in [one, other] {
            let _ = SockRef::from(&wire.tcp).set_linger(Some(Duration::ZERO));
        }
    }
    let (forth, back) = (tally.forth.load(Ordering::Relaxed), tally.back.load(Ordering::Relaxed));
    Ended { reason, forth, back, lasted: begun.elapsed() }
}

async fn both(one: &TcpStream, other: &TcpStream, meter: &Meter<'_>) -> Reason {
    let forth = flow(one, other, meter, &meter.tally.forth);
    let back = flow(other, one, meter, &meter.tally.back);
    match tokio::try_join!(forth, back) {
        Ok(_) => Reason::Closed,
        Err(reason) => reason,
    }
}

/// One direction: until the end of what `from` sends, which is then passed on.
async fn flow(from: &TcpStream, to: &TcpStream, meter: &Meter<'_>, moved: &AtomicU64) -> Result<(), Reason> {
    let mut lane = Lane::new();
    let mut turn = 0;
    loop {
        from.readable().await.map_err(broken)?;
        let most = meter.most(lane.capacity());
        if most == 0 {
            match from.peek(&mut [0]).await {
                Ok(0) => break,
                Ok(_) => return Err(Reason::TooMuch),
                Err(error) => return Err(broken(error)),
            }
        }
        let taken = match lane.fill(from, most) {
            Ok(0) => break,
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(broken(error)),
        };
        let rest = meter.took(taken);
        while lane.held() > 0 {
            to.writable().await.map_err(broken)?;
            match lane.drain(to) {
                Ok(given) => meter.gave(given, moved),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(broken(error)),
            }
        }
        turn += taken;
        if turn >= TURN {
            turn = 0;
            tokio::task::yield_now().await;
        }
        if let Some(until) = rest {
            tokio::time::sleep_until(until).await;
        }
    }
    SockRef::from(to).shutdown(Shutdown::Write).map_err(broken)
}

fn broken(_: io::Error) -> Reason {
    Reason::Broken
}

/// What both directions are measured by.
struct Meter<'a> {
    bounds: &'a Bounds,
    slot: &'a Slot,
    tally: &'a Tally,
}

impl Meter<'_> {
    /// How much may be taken at once; 0 when nothing more may at all.
    fn most(&self, capacity: usize) -> usize {
        let stride = self.slot.stride(capacity);
        match self.bounds.bytes {
            0 => stride,
            bytes => {
                let left = bytes.saturating_sub(self.tally.taken.load(Ordering::Relaxed));
                usize::try_from(left).unwrap_or(usize::MAX).min(stride)
            }
        }
    }

    fn took(&self, bytes: usize) -> Option<Instant> {
        self.tally.taken.fetch_add(bytes as u64, Ordering::Relaxed);
        self.slot.spend(bytes)
    }

    fn gave(&self, bytes: usize, moved: &AtomicU64) {
        moved.fetch_add(bytes as u64, Ordering::Relaxed);
        self.tally.moves.fetch_add(1, Ordering::Relaxed);
        self.tally.counters.moved(bytes as u64);
    }
}

/// What has moved.
struct Tally {
    counters: Arc<Counters>,
    taken: AtomicU64,
    forth: AtomicU64,
    back: AtomicU64,
    moves: AtomicU64,
}

impl Tally {
    fn new(counters: &Arc<Counters>) -> Self {
        let zero = || AtomicU64::new(0);
        Self { counters: Arc::clone(counters), taken: zero(), forth: zero(), back: zero(), moves: zero() }
    }

    /// Comes to an end when nothing has moved for so long; looked at four times in it,
    /// so that moving bytes need not read the clock.
    async fn idle(&self, patience: Duration) {
        let (mut moves, mut still) = (0, 0);
        while still < 4 {
            tokio::time::sleep(patience / 4).await;
            let now = self.moves.load(Ordering::Relaxed);
            still = if now == moves { still + 1 } else { 0 };
            moves = now;
        }
    }
}
