//! Plugins' connections: the host's ports on one side, the sockets on the other.

use std::sync::Arc;

use xylem_hooks::manifest;
use xylem_host::{ClaimedWires, WireBounds, WireEnd, WireReason, WireRefusal, WireService};
use xylem_net::wires::{Bounds, Ended, Framing, Pair, Patience, Reason, WireListener, Wires};

/// The server's wires, as plugins reach them.
pub struct PluginWires(pub Wires);

impl WireService for PluginWires {
    fn arrange(&self, listeners: Vec<xylem_host::WireListener>) {
        self.0.listen(listeners.into_iter().map(listener).collect());
    }

    fn ports(&self, plugin: &str, listener: &str) -> Vec<u16> {
        self.0.ports(plugin, listener)
    }

    fn waiting(&self, plugin: &str, listener: &str, label: &str) -> Vec<u64> {
        self.0.waiting(plugin, listener, label)
    }

    fn claim(
        &self,
        plugin: &str,
        one: u64,
        other: u64,
        bounds: WireBounds,
    ) -> Result<Box<dyn ClaimedWires>, WireRefusal> {
        let bounds = Bounds {
            user: bounds.user,
            per_user: bounds.per_user,
            total: bounds.total,
            rate: bounds.rate,
            bytes: bounds.bytes,
            idle: bounds.idle,
        };
        match self.0.claim(plugin, one, other, bounds) {
            Ok(pair) => Ok(Box::new(Claimed(pair))),
            Err(xylem_net::wires::ClaimError::Missing) => Err(WireRefusal::Missing),
            Err(_) => Err(WireRefusal::Quota),
        }
    }

    fn close(&self, plugin: &str, wire: u64) {
        if !self.0.close(plugin, wire) {
            tracing::debug!(plugin, wire, "no such wire to close, or no longer");
        }
    }
}

struct Claimed(Pair);

impl ClaimedWires for Claimed {
    fn listener(&self) -> Arc<str> {
        self.0.listener()
    }

    fn start(self: Box<Self>, ended: Box<dyn FnOnce(WireEnd) + Send>) {
        self.0.start(move |end| ended(told(end)));
    }
}

fn listener(listener: xylem_host::WireListener) -> WireListener {
    WireListener {
        owner: listener.plugin,
        name: listener.name,
        framing: match listener.framing {
            manifest::Framing::Socks5 => Framing::Socks5,
        },
        addresses: listener.addresses,
        patience: Patience { handshake: listener.handshake, waiting: listener.waiting },
        per_label: listener.per_label,
    }
}

fn told(end: Ended) -> WireEnd {
    let reason = match end.reason {
        Reason::Closed => WireReason::Closed,
        Reason::Idle => WireReason::Idle,
        Reason::TooMuch => WireReason::TooMuch,
        Reason::Stopped => WireReason::Stopped,
        _ => WireReason::Broken,
    };
    WireEnd { reason, forth: end.forth, back: end.back, lasted: end.lasted }
}
