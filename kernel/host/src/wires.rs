//! Connections that are no streams, as the server keeps them for plugins.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use xylem_hooks::call::Cause;
use xylem_hooks::manifest::{ConfigError, Framing, ListenerSpec};

use crate::error::HostError;
use crate::guest::Core;

/// A `[[listener]]` of a plugin that runs, with the addresses that were configured.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WireListener {
    pub plugin: Arc<str>,
    pub name: Arc<str>,
    pub framing: Framing,
    pub addresses: Vec<SocketAddr>,
    /// For the handshake.
    pub handshake: Duration,
    /// For waiting under the label.
    pub waiting: Duration,
    pub per_label: usize,
}

/// What a relay may use (`xylem:wires/wires.bounds`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WireBounds {
    pub user: String,
    pub per_user: usize,
    pub total: usize,
    /// Bytes a second of the user; 0: no bound.
    pub rate: u64,
    /// Bytes of this relay; 0: no bound.
    pub bytes: u64,
    pub idle: Duration,
}

/// Why two wires are not relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireRefusal {
    #[error("one of the wires waits no longer")]
    Missing,
    #[error("no more relays are allowed")]
    Quota,
}

/// Why a relay is over (`xylem:plugin/wire-events.reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "told where they are named")]
pub enum WireReason {
    Closed,
    Broken,
    Idle,
    TooMuch,
    Stopped,
}

/// How a relay ended (`xylem:plugin/wire-events.ended`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireEnd {
    pub reason: WireReason,
    /// Bytes from the first wire to the second, and back.
    pub forth: u64,
    pub back: u64,
    pub lasted: Duration,
}

/// The wires of all plugins. A plugin reaches only its own.
pub trait WireService: Send + Sync + 'static {
    /// Listens for these and for nobody else.
    fn arrange(&self, listeners: Vec<WireListener>);
    /// The ports that a listener has.
    fn ports(&self, plugin: &str, listener: &str) -> Vec<u16>;
    /// Wires that wait under a label.
    fn waiting(&self, plugin: &str, listener: &str, label: &str) -> Vec<u64>;
    /// Takes two waiting wires for a relay.
    ///
    /// # Errors
    /// Nothing was taken then.
    fn claim(
        &self,
        plugin: &str,
        one: u64,
        other: u64,
        bounds: WireBounds,
    ) -> Result<Box<dyn ClaimedWires>, WireRefusal>;
    /// Ends a waiting wire.
    fn close(&self, plugin: &str, wire: u64);
}

/// Two wires taken for a relay; dropped they wait on as they did.
pub trait ClaimedWires: Send {
    /// The name of their listener.
    fn listener(&self) -> Arc<str>;
    /// Begins the relay.
    fn start(self: Box<Self>, ended: Box<dyn FnOnce(WireEnd) + Send>);
}

/// What a turn does to wires, once it has succeeded.
#[derive(Default)]
pub(crate) struct WireWork {
    pub(crate) splices: Vec<Splice>,
    pub(crate) closes: Vec<u64>,
}

pub(crate) struct Splice {
    pub(crate) wires: Box<dyn ClaimedWires>,
    pub(crate) token: String,
}

/// A relay that has ended, for the plugin that began it.
pub(crate) struct EndedRelay {
    pub(crate) plugin: Arc<str>,
    pub(crate) cause: Cause,
    pub(crate) listener: Arc<str>,
    pub(crate) token: String,
    pub(crate) end: WireEnd,
}

/// The service, and where ends are told; nothing before the server connects it.
pub(crate) struct WirePort {
    pub(crate) service: Arc<dyn WireService>,
    pub(crate) ended: mpsc::UnboundedSender<EndedRelay>,
}

impl WireWork {
    pub(crate) fn is_empty(&self) -> bool {
        self.splices.is_empty() && self.closes.is_empty()
    }
}

impl WirePort {
    /// Carries out what a turn asked for. What is told later is bounded by the relays there may be.
    pub(crate) fn carry_out(&self, core: &Core, cause: &Cause, work: WireWork) {
        for wire in work.closes {
            self.service.close(&core.id, wire);
        }
        for Splice { wires, token } in work.splices {
            let (ended, plugin, listener) = (self.ended.clone(), Arc::clone(&core.id), wires.listener());
            // The end begins a new story; whoever asked for the relay is not behind it.
            let cause = Cause { actor: None, peer: None, hops: 0, ..cause.clone() };
            wires.start(Box::new(move |end| {
                let _ = ended.send(EndedRelay { plugin, cause, listener, token, end });
            }));
        }
    }
}

/// A listener as its plugin's configuration has it.
pub(crate) fn listener(plugin: &Arc<str>, spec: &ListenerSpec, config: &Value) -> Result<WireListener, HostError> {
    let option = config.get(&spec.addresses).and_then(Value::as_array);
    let parse = |address: &Value| {
        let text = address.as_str().unwrap_or_default();
        text.parse().map_err(|_| HostError::Config {
            plugin: plugin.to_string(),
            error: ConfigError {
                option: spec.addresses.clone(),
                problem: format!("`{text}` is no address with port; write them as \"0.0.0.0:5000\" or \"[::]:5000\""),
            },
        })
    };
    Ok(WireListener {
        plugin: Arc::clone(plugin),
        name: spec.name.as_str().into(),
        framing: spec.framing,
        addresses: option.into_iter().flatten().map(parse).collect::<Result<_, _>>()?,
        handshake: spec.handshake,
        waiting: spec.waiting,
        per_label: usize::from(spec.per_label),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_come_from_the_configuration() {
        let spec = ListenerSpec {
            line: 1,
            name: "l".to_owned(),
            framing: Framing::Socks5,
            addresses: "listen".to_owned(),
            handshake: Duration::from_secs(1),
            waiting: Duration::from_secs(1),
            per_label: 2,
            ended: None,
        };
        let plugin: Arc<str> = "example.p".into();
        let made = listener(&plugin, &spec, &json!({"listen": ["127.0.0.1:0", "[::1]:5000"]})).unwrap();
        assert_eq!(made.addresses, ["127.0.0.1:0".parse().unwrap(), "[::1]:5000".parse().unwrap()]);
        let refused = listener(&plugin, &spec, &json!({"listen": ["localhost"]})).unwrap_err().to_string();
        assert!(refused.contains("example.p") && refused.contains("listen") && refused.contains("localhost"));
    }
}
