//! What an administrator may change about client connections.

use std::time::Duration;

use xylem_session::{Conflict, QueueLimits};

/// Settings of client connections. A connection takes them when it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct C2sConfig {
    /// How long each phase may last.
    pub timeouts: Timeouts,
    /// What happens when a resource is in use.
    pub conflict: Conflict,
    /// Stream management.
    pub management: ManagementConfig,
    /// How fast one connection is read; `None` (the default) as fast as it is worked off.
    pub rate: Option<Rate>,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the PROXY header and the TLS handshake each, default 15 s.
    pub handshake: Duration,
    /// From the connection's beginning until a resource is bound, default 60 s.
    pub login: Duration,
    /// After this long without a byte from the client a space is written, so that TCP
    /// finds out whether anybody is there (RFC 6120 §4.6.1), default 240 s.
    pub idle: Duration,
    /// How long written bytes may go unacknowledged, and how long a write may make no
    /// progress, before the connection is given up, default 60 s.
    pub stalled: Duration,
    /// How long to wait for the client's end of the stream after ours, default 5 s.
    pub close: Duration,
}

/// How the server handles acknowledgements (XEP-0198).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagementConfig {
    /// Stanzas after which the client is asked what it received, default 20.
    pub ask_after: usize,
    /// Time after which it is asked if there were fewer, default 10 s.
    pub ask_idle: Duration,
    /// What may be sent and not acknowledged. Then nothing more is sent, and a client that
    /// acknowledges nothing within [`Timeouts::stalled`] loses its session.
    pub unacknowledged: QueueLimits,
    /// Sessions of one account that may wait for their clients, default 5; one more, and
    /// the oldest ends.
    pub hibernated_per_account: usize,
}

impl Default for ManagementConfig {
    fn default() -> Self {
        Self {
            ask_after: 20,
            ask_idle: Duration::from_secs(10),
            unacknowledged: QueueLimits::default(),
            hibernated_per_account: 5,
        }
    }
}

/// A bound on bytes per time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Bytes per second over time.
    pub per_second: f64,
    /// Bytes at once before that counts.
    pub burst: f64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(15),
            login: Duration::from_secs(60),
            idle: Duration::from_secs(240),
            stalled: Duration::from_secs(60),
            close: Duration::from_secs(5),
        }
    }
}

impl Default for C2sConfig {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            conflict: Conflict::Replace,
            management: ManagementConfig::default(),
            rate: None,
        }
    }
}
