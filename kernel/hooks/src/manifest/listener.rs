//! `[[listener]]`: connections that are no streams, which the kernel accepts and relays
//! for a plugin.

use std::time::Duration;

use serde::Deserialize;

/// How the kernel reads the beginning of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// SOCKS version 5 (RFC 1928): a `CONNECT` to 40 hexadecimal digits, which are the label.
    Socks5,
}

/// `[[listener]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSpec {
    pub line: usize,
    pub name: String,
    pub framing: Framing,
    /// The option of `[config]`, a list, that holds addresses with port.
    pub addresses: String,
    /// For the handshake, 100 ms to 60 s, default 10 s.
    pub handshake: Duration,
    /// For waiting under the label, 100 ms to 1 h, default 60 s.
    pub waiting: Duration,
    /// Connections that may wait under one label, 1 to 100, default 2.
    pub per_label: u16,
    /// Function name for `on-ended`.
    pub ended: Option<String>,
}
